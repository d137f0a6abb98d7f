#include "apache/websocket/child_sockets.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "apache/config/configuration_lines.h"
#include "apache/log.h"
#include "apache/pool.h"
#include "base/parse.h"

namespace pyhost::apache {
namespace {

// httpd gives its hooks no other way to it; its memory is that of the child's pool.
ChildSockets* sockets_of_child = nullptr;
// The same, in the pool of the configuration; null where children have threads.
SharedPlaces* places_of_httpd = nullptr;

int mpm_number(int query) {
  int number = 0;
  return ap_mpm_query(query, &number) == APR_SUCCESS ? number : 0;
}

// Behind a graceful end others serve on, as a rule.
gateway::Leaving leaving_of(Stopping how) noexcept {
  return how == Stopping::at_once ? gateway::Leaving::stop : gateway::Leaving::restart;
}

// As the event MPM counts with it: a whole number.
unsigned async_factor() {
  constexpr unsigned kDefault = 2;
  const std::string value = last_value_of("AsyncRequestWorkerFactor");
  if (value.empty()) return kDefault;
  constexpr double kMax = 1e6;
  const double factor = std::strtod(value.c_str(), nullptr);
  return factor > 0 ? static_cast<unsigned>(std::min(factor, kMax)) : 0;
}

// Its default is what mod_http2 makes of the MPM's threads.
unsigned h2_threads(unsigned threads) {
  const std::string value = last_value_of("H2MaxWorkers");
  const auto number = value.empty() ? std::nullopt : base::parse_unsigned(value);
  constexpr std::uint64_t kMax = 1'000'000;
  return number ? static_cast<unsigned>(std::min(*number, kMax)) : threads * 3 / 2;
}

}  // namespace

ChildCapacity child_capacity() {
  const bool is_async = mpm_number(AP_MPMQ_IS_ASYNC) != 0;
  const auto threads = static_cast<unsigned>(std::max(mpm_number(AP_MPMQ_MAX_THREADS), 1));
  return {.threads = threads,
          .async_factor = is_async ? async_factor() : 0,
          .h2_threads = h2_threads(threads)};
}

// Half of all children, as of a child's threads elsewhere.
base::Result<> ChildSockets::prepare(apr_pool_t* pconf) {
  places_of_httpd = nullptr;
  if (mpm_number(AP_MPMQ_IS_THREADED) != 0) return {};
  const int children = mpm_number(AP_MPMQ_MAX_DAEMONS);
  PH_TRY(places, SharedPlaces::make(static_cast<std::size_t>(std::max(children / 2, 1))));
  places_of_httpd = pool_new<SharedPlaces>(pconf, std::move(places));
  return {};
}

void ChildSockets::start(apr_pool_t* pchild) {
  sockets_of_child = pool_new<ChildSockets>(pchild, child_capacity(), places_of_httpd);
}

ChildSockets& ChildSockets::of_this_child() noexcept {
  return *sockets_of_child;
}

void ChildSockets::note_stopping(apr_pool_t*, int graceful) {
  if (sockets_of_child == nullptr) return;
  sockets_of_child->stop(graceful != 0 ? Stopping::gracefully : Stopping::at_once);
}

void ChildSockets::stop(Stopping how) {
  stopping_ = how;
  if (has_thread_) thread_->leave(leaving_of(how));
}

// Not every MPM says so in time.
Stopping ChildSockets::stopping() const noexcept {
  const Stopping told = stopping_;
  const bool is_stopping = mpm_number(AP_MPMQ_MPM_STATE) == AP_MPMQ_STOPPING;
  return told == Stopping::no && is_stopping ? Stopping::gracefully : told;
}

bool ChildSockets::start_relaying() {
  if (has_thread_) return true;
  const std::lock_guard lock(starting_);
  if (failed_ || thread_ != nullptr) return thread_ != nullptr;
  auto started = RelayThread::start();
  if (!started) {
    failed_ = true;
    log_server(ap_server_conf, base::LogLevel::error, base::Message::web_socket_relay_failed,
               started.error().sentence);
    return false;
  }
  thread_ = *std::move(started);
  has_thread_ = true;
  if (const Stopping how = stopping_; how != Stopping::no) thread_->leave(leaving_of(how));
  return true;
}

}  // namespace pyhost::apache
