#include "supervisor/queued_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

namespace pyhost::supervisor {
namespace {

bool takes_something(int fd) noexcept {
  pollfd ready{.fd = fd, .events = POLLOUT, .revents = 0};
  return poll(&ready, 1, 0) > 0;
}

}  // namespace

QueuedLog::QueuedLog(os::EventLoop& loop, base::UniqueFd file, base::LogRules rules)
    : loop_(loop), file_(std::move(file)), rules_(std::move(rules)) {
  open_own();
}

QueuedLog::~QueuedLog() {
  drain();
  stop_waiting();
}

void QueuedLog::open_own() noexcept {
  own_.reset();
  kind_ = Kind::file;
  struct stat info {};
  if (fstat(file_.get(), &info) != 0 || S_ISREG(info.st_mode)) return;
  kind_ = S_ISSOCK(info.st_mode) ? Kind::socket : Kind::pipe;
  if (kind_ == Kind::socket) return;
  const std::string path = fmt::format("/proc/self/fd/{}", file_.get());
  own_.reset(open(path.c_str(), O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

void QueuedLog::reopen(base::UniqueFd file) noexcept {
  drain();
  stop_waiting();
  file_ = std::move(file);
  open_own();
  drain();
}

void QueuedLog::log(base::LogLevel level, base::Message message, std::string_view text) noexcept {
  if (!rules_.keeps(level, message)) return;
  std::string record = base::format_record(rules_, level, message, text);
  if (!watched_) drain();
  if (waiting_.empty()) {
    const std::size_t taken = put(record);
    if (taken == record.size()) return;
    record.erase(0, taken);
  }
  add(std::move(record));
}

void QueuedLog::add(std::string record) {
  if (waiting_bytes_ + record.size() > kWaitingBytesMax) {
    ++lost_;
    return;
  }
  waiting_bytes_ += record.size();
  waiting_.push_back(std::move(record));
  if (watched_) return;
  const auto watched = loop_.watch(
      target(), [this] { drain(); }, os::Interest::writable);
  watched_ = watched.has_value();
}

void QueuedLog::drain() {
  while (!waiting_.empty()) {
    std::string& first = waiting_.front();
    const std::size_t taken = put(first);
    waiting_bytes_ -= taken;
    if (taken < first.size()) {
      first.erase(0, taken);
      return;
    }
    waiting_.pop_front();
    if (!waiting_.empty() || lost_ == 0) continue;
    const unsigned lost = std::exchange(lost_, 0);
    std::string record = base::format_record(
        rules_, base::LogLevel::warn, base::Message::records_lost,
        fmt::format("{} records of pyhost-supervisor were lost: nobody has read this log", lost));
    waiting_bytes_ += record.size();
    waiting_.push_back(std::move(record));
  }
  stop_waiting();
}

std::size_t QueuedLog::put(std::string_view text) noexcept {
  ssize_t taken = -1;
  if (kind_ == Kind::socket) {
    taken = send(file_.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  } else if (kind_ == Kind::file || own_.valid()) {
    taken = write(target(), text.data(), text.size());
  } else if (takes_something(file_.get())) {
    // A pipe that is ready takes so much at once; only another writer in between could make us
    // wait.
    taken = write(file_.get(), text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
  } else {
    errno = EAGAIN;
  }
  if (taken >= 0 && kind_ != Kind::file) return taken;
  // A log that cannot be written to has nowhere to complain.
  return taken < 0 && errno == EAGAIN ? 0 : text.size();
}

void QueuedLog::stop_waiting() noexcept {
  if (std::exchange(watched_, false)) loop_.forget(target());
}

}  // namespace pyhost::supervisor
