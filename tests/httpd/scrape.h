// What pyhost-status says.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "harness/httpd.h"

namespace pyhost::test {

// A location of it, for a test's configuration.
inline constexpr char kFigures[] =
    "<Location /figures>\n  SetHandler pyhost-status\n  Require all granted\n</Location>\n";

// One text of it, by samples: "pyhost_threads_busy{group=\"g\"}" and its value.
class Scrape {
 public:
  explicit Scrape(const std::string& text);
  // Of that server, whose configuration has kFigures.
  static Scrape of(const Httpd& httpd, const std::string& query = "?metrics");

  // Of one sample; -1 when there is none.
  double value(const std::string& sample) const;
  // Of all samples that begin like that.
  double sum(std::string_view beginning) const;
  const std::map<std::string, double>& samples() const noexcept { return samples_; }
  // A sample that only grows and is smaller here than it was before, as a sentence; "" for none.
  std::string decrease_since(const Scrape& before) const;

 private:
  std::map<std::string, double> samples_;
};

// Waits until a sample has that value: a request is counted behind its reply.
bool wait_for_sample(const Httpd& httpd, const std::string& sample, double value);

}  // namespace pyhost::test
