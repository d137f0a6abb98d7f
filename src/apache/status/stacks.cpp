#include "apache/status/stacks.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include "apache/config/config.h"
#include "apache/config/socket_prefix.h"
#include "apache/httpd_api.h"
#include "control/operator_exchange.h"
#include "control/operator_protocol.h"
#include "control/operator_request.h"
#include "control/work_answer.h"
#include "os/unix_socket.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::apache {
namespace {

// A worker may take five seconds to answer the supervisor.
constexpr std::chrono::seconds kPatience{8};
constexpr std::size_t kAnswerBytesMax = 32 << 20;

base::Result<std::string> ask(const std::string& line) {
  const std::string path =
      configured_socket_prefix(ap_server_conf->process->pconf) + control::kStacksSocketSuffix;
  PH_TRY(address, os::UnixAddress::of(path));
  const base::UniqueFd connection(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!connection.valid() || !address.connect(connection.get())) {
    return base::fail(fmt::format("{}: {}", path, std::strerror(errno)));
  }
  return control::exchange_lines(
      connection.get(), line,
      {.bytes_max = kAnswerBytesMax, .until = base::Clock::now() + kPatience});
}

}  // namespace

base::Result<std::string> stacks_text(const std::string& group) {
  const auto answer = ask(to_json(control::OperatorRequest{
      .command = control::OperatorRequest::Command::dump, .group = group}));
  if (!answer) {
    return base::fail(fmt::format("the supervisor cannot be asked: {}", answer.error().sentence));
  }
  if (const auto work = control::parse_work_answer(*answer)) {
    return control::work_text(group, *work);
  }
  const auto refusal = control::parse_short_answer(*answer);
  if (refusal && !*refusal) return base::fail(refusal->error().sentence);
  return base::fail("the supervisor's answer is not understood");
}

}  // namespace pyhost::apache
