#include "apache/process/exit_watch.h"

#include <fmt/format.h>

#include <algorithm>

#include "apache/httpd_api.h"

namespace pyhost::apache {
namespace {

using namespace std::chrono_literals;
using gateway::EnvironKey;

constexpr auto kBetweenLooks = 250ms;
// httpd kills a child that has not ended about ten seconds after it was told to.
constexpr auto kPatience = 5s;
constexpr std::size_t kStackBytes = 256 * 1024;

bool httpd_is_stopping() {
  int state = AP_MPMQ_RUNNING;
  return ap_mpm_query(AP_MPMQ_MPM_STATE, &state) == APR_SUCCESS && state == AP_MPMQ_STOPPING;
}

double seconds_since(std::chrono::steady_clock::time_point moment) {
  return base::seconds(base::Clock::now() - moment);
}

std::string_view value_of(const gateway::RequestHead& head, EnvironKey key) {
  std::string_view value;
  for (const gateway::EnvironEntry& entry : head.environ) {
    if (entry.key == key) value = entry.value;
  }
  return value;
}

}  // namespace

ExitWatch::Running::Running(ExitWatch& watch, const gateway::Target& target,
                            const gateway::Client& client, const gateway::RequestHead& head)
    : watch_(watch), target_(target), client_(client), head_(head) {
  const std::lock_guard lock(watch_.mutex_);
  watch_.running_.push_back(this);
  if (watch_.asleep_) watch_.changed_.notify_one();
}

ExitWatch::Running::~Running() {
  const std::lock_guard lock(watch_.mutex_);
  std::erase(watch_.running_, this);
}

std::string ExitWatch::Running::phrase() const {
  return fmt::format("{} {}{} has run for {:.3f} s in {}",
                     value_of(head_, EnvironKey::request_method),
                     value_of(head_, EnvironKey::script_name),
                     value_of(head_, EnvironKey::path_info), seconds_since(began_), target_.script);
}

base::Result<> ExitWatch::start(gateway::EngineWatch* locks_or_null) {
  locks_or_null_ = locks_or_null;
  PH_TRY(thread, base::NamedThread::start("pyhost-exit", kStackBytes, [this] { watch(); }));
  thread_ = std::move(thread);
  return {};
}

ExitWatch::~ExitWatch() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void ExitWatch::watch() {
  std::unique_lock lock(mutex_);
  while (!ended_) {
    asleep_ = true;
    changed_.wait(lock, [this] { return ended_ || !running_.empty(); });
    asleep_ = false;
    changed_.wait_for(lock, kBetweenLooks, [this] { return ended_; });
    const auto text = look_locked();
    if (!text) continue;
    lock.unlock();
    log_.log(base::LogLevel::warn, base::Message::child_hindered, *text);
    lock.lock();
  }
}

std::optional<std::string> ExitWatch::look_locked() {
  if (told_ || !httpd_is_stopping()) return std::nullopt;
  if (std::ranges::none_of(running_, &Running::given_up)) {
    given_up_since_.reset();
    return std::nullopt;
  }
  if (!given_up_since_) {
    given_up_since_ = std::chrono::steady_clock::now();
    if (locks_or_null_ != nullptr) locks_or_null_->probe_locks();
  }
  if (std::chrono::steady_clock::now() - *given_up_since_ < kPatience) return std::nullopt;
  told_ = true;
  return obstacles_locked();
}

std::string ExitWatch::obstacles_locked() {
  std::string text;
  for (const Running* request : running_) {
    if (request->given_up()) text += (text.empty() ? "" : "; ") + request->phrase();
  }
  if (locks_or_null_ != nullptr) {
    if (const auto wait = locks_or_null_->probe_locks()) {
      text += fmt::format("; the lock of {} could not be had for {:.3f} s", wait->interpreter,
                          seconds_since(wait->since));
    }
  }
  return "this child of httpd cannot end: " + text;
}

}  // namespace pyhost::apache
