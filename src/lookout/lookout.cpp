#include "lookout/lookout.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/clock.h"
#include "control/worker_orders.h"

namespace pyhost::lookout {

void Lookout::follow(const control::WatchList& list) {
  std::erase_if(watches_, [&list](const auto& each) {
    const auto wanted = list.globs.find(each.first);
    return wanted == list.globs.end() || wanted->second != each.second.globs;
  });
  for (const auto& [group, globs] : list.globs) {
    if (!watches_.contains(group)) begin(group, globs, list.since_us);
  }
}

void Lookout::begin(const std::string& group, const std::vector<std::string>& globs,
                    std::int64_t since_us) {
  Watch& watch = watches_[group];
  watch.globs = globs;
  std::vector<base::PathGlob> parsed;
  for (const std::string& text : globs) {
    // None was accepted that is none.
    if (auto glob = base::PathGlob::parse(text)) parsed.push_back(*std::move(glob));
  }
  if (const auto opened = open_folders(); !opened) {
    return report_problem(group, watch, opened.error().sentence);
  }
  watch.paths = std::make_unique<WatchedPaths>(*folders_, std::move(parsed), since_us);
}

base::Result<> Lookout::open_folders() {
  if (folders_) return {};
  PH_TRY(opened, FolderWatches::open());
  folders_ = std::move(opened);
  return {};
}

void Lookout::run() {
  while (true) {
    advance(base::Clock::now());
    std::array<pollfd, 2> entries{
        {{.fd = supervisor_, .events = POLLIN, .revents = 0},
         {.fd = folders_ ? folders_->fd() : -1, .events = POLLIN, .revents = 0}}};
    if (::poll(entries.data(), entries.size(), base::poll_timeout(next_deadline())) <= 0) continue;
    if (entries[1].revents != 0) take_events();
    if (entries[0].revents != 0 && !heed_supervisor()) return;
  }
}

// False when it has gone.
bool Lookout::heed_supervisor() {
  char byte = 0;
  const ssize_t there = ::recv(supervisor_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (there == 0 || (there < 0 && errno != EAGAIN && errno != EINTR)) return false;
  const auto order = control::take_order(supervisor_);
  if (!order || order->kind != control::WorkerOrder::Kind::watch) return true;
  if (const auto list = control::read_watch_list(order->descriptor.get())) follow(*list);
  return true;
}

void Lookout::take_events() {
  const base::TimePoint now = base::Clock::now();
  folders_->read([this, now](FolderWatches::Owner owner, const FolderWatches::Event& event) {
    for (const auto& [name, watch] : watches_) {
      if (watch.paths.get() == owner) watch.paths->heed(event, now);
    }
  });
}

// One group has its turn, behind the one that had the last.
void Lookout::advance(base::TimePoint now) {
  if (watches_.empty() || now < rests_until_) return;
  auto next = watches_.upper_bound(last_);
  for (std::size_t i = 0; i < watches_.size(); ++i, ++next) {
    if (next == watches_.end()) next = watches_.begin();
    const auto deadline = deadline_of(next->second);
    if (!deadline || now < *deadline) continue;
    last_ = next->first;
    return look(next->first, next->second);
  }
}

void Lookout::look(const std::string& group, Watch& watch) {
  const base::TimePoint begun = base::Clock::now();
  const auto change = watch.paths->advance(begun);
  const auto took = base::Clock::now() - begun;
  watch.rests_until = begun + took * (1 + kRestOfGroup);
  rests_until_ = begun + took * (1 + kRestOfAll);
  report_problem(group, watch, watch.paths->problem());
  if (!change) return;
  report({.group = group, .changed = change->path, .at = change->at, .file = change->file});
}

void Lookout::report_problem(const std::string& group, Watch& watch,
                             const std::string& problem) const {
  if (problem == watch.problem) return;
  watch.problem = problem;
  report({.group = group, .changed = "", .problem = problem});
}

// Waits for a supervisor that is busy; one that has gone is noticed elsewhere.
void Lookout::report(const control::WatchReport& report) const {
  const std::string line = to_json(report) + "\n";
  static_cast<void>(::send(supervisor_, line.data(), line.size(), MSG_NOSIGNAL));
}

std::optional<base::TimePoint> Lookout::deadline_of(const Watch& watch) const noexcept {
  const auto deadline = watch.paths ? watch.paths->next_deadline() : std::nullopt;
  if (!deadline) return std::nullopt;
  return std::max({*deadline, watch.rests_until, rests_until_});
}

std::optional<base::TimePoint> Lookout::next_deadline() const noexcept {
  std::optional<base::TimePoint> next;
  for (const auto& [name, watch] : watches_) {
    next = base::earliest(next, deadline_of(watch));
  }
  return next;
}

}  // namespace pyhost::lookout
