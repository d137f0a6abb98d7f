// A request, as whoever watches over its worker has it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pyhost/base/log.h"
#include "pyhost/gateway/caller.h"
#include "pyhost/gateway/failure_cause.h"
#include "pyhost/gateway/request_head.h"

namespace pyhost::worker {

struct RequestLine {
  std::string method;
  std::string path;
};
// Of a request with that head; without the query.
inline RequestLine request_line_in(const gateway::RequestHead& head) {
  RequestLine line;
  for (const gateway::EnvironEntry& entry : head.environ) {
    if (entry.key == gateway::EnvironKey::request_method) line.method = entry.value;
    if (entry.key == gateway::EnvironKey::request_uri) {
      line.path = entry.value.substr(0, entry.value.find('?'));
    }
  }
  return line;
}

// Any thread; no call waits. Requests that run one after the other on the same exchange are told
// apart by their numbers: what is meant for one that has ended does nothing to the next.
class WatchedRequest {
 public:
  // The script of that request; empty when it has ended.
  virtual std::string script_of(std::uint64_t number) const = 0;
  // Its method, and the path of its URL; empty too while its reply is being sent.
  virtual RequestLine request_line_of(std::uint64_t number) const = 0;
  // Logs to that request, or to the process's log when it has ended or its connection is busy or
  // full.
  virtual void note(std::uint64_t number, base::LogLevel level, base::Message message,
                    std::string_view text) noexcept = 0;
  // Answers that request 504 in place of the application, or breaks its reply off, and ends its
  // connection; what the application sends later finds that the client has gone. False when it is
  // being used at that moment and is as it was.
  [[nodiscard]] virtual bool give_up(std::uint64_t number, gateway::FailureCause failure,
                                     std::string_view cause) noexcept = 0;
  // Whom the engine knows it by.
  virtual const gateway::Caller& caller() const noexcept = 0;

 protected:
  ~WatchedRequest() = default;
};

}  // namespace pyhost::worker
