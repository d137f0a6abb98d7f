#include "control/operator_exchange.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

namespace pyhost::control {
namespace {

// False when the time is over.
bool wait_for_more(int connection, const AnswerLimits& limits) {
  constexpr int kForEver = -1;
  int patience = kForEver;
  if (limits.until) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(*limits.until - base::Clock::now());
    patience = static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0));
  }
  pollfd ready{.fd = connection, .events = POLLIN, .revents = 0};
  const int number = ::poll(&ready, 1, patience);
  return number > 0 || (number < 0 && errno == EINTR);
}

}  // namespace

base::Result<std::string> exchange_lines(int connection, const std::string& line,
                                         const AnswerLimits& limits) {
  const std::string request = line + '\n';
  const ssize_t sent = ::send(connection, request.data(), request.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(request.size())) return base::fail(std::strerror(errno));
  std::string answer;
  std::array<char, 16384> buffer;
  while (answer.size() < limits.bytes_max) {
    if (!wait_for_more(connection, limits)) return base::fail("it has not answered in time");
    const ssize_t got = ::recv(connection, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) break;
    answer.append(buffer.data(), static_cast<std::size_t>(got));
  }
  if (!answer.ends_with('\n')) return base::fail("it has ended without an answer");
  answer.pop_back();
  return answer;
}

}  // namespace pyhost::control
