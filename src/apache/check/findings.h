// What is found in a configuration, until it is told.
#pragma once

#include <string>
#include <vector>

#include "apache/httpd_api.h"
#include "control/check_report.h"
#include "pyhost/base/messages.h"

namespace pyhost::apache {

using control::Severity;

// What is wrong and what to write instead.
struct Diagnosis {
  std::string sentence;
  std::string cure{};  // "" when the sentence says it
};

class Findings {
 public:
  // `place` as of places.h, or null. What is found once more at the same place is found once.
  void add(const server_rec* s, Severity severity, base::Message message, Diagnosis diagnosis,
           const char* place);
  // What httpd cannot start with.
  void refuse(const server_rec* s, Diagnosis diagnosis, const char* place) {
    add(s, Severity::error, base::Message::configuration_refused, std::move(diagnosis), place);
  }

  bool prevent_start() const noexcept;
  std::vector<control::Finding> list() const;

  // One record for each, in the log of its server.
  void log() const;

 private:
  struct Entry {
    const server_rec* server;
    base::Message message;
    control::Finding finding;
  };

  std::vector<Entry> entries_;
};

}  // namespace pyhost::apache
