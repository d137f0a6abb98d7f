#include "worker/channel_set.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/out_of_memory.h"

namespace pyhost::worker {
namespace {

using gateway::ChannelEvent;
using wire::FrameType;
using wire::Io;
using Heard = WorkerChannel::Heard;

// What an event is about; connections have the numbers of the pool, which are larger.
constexpr std::uint64_t kAdopted = 0;

constexpr unsigned kReads = EPOLLIN | EPOLLRDHUP;

// So many connections are looked at before the loop does something else.
constexpr std::size_t kEventsMax = 64;

}  // namespace

base::Result<std::unique_ptr<ChannelSet>> ChannelSet::open(ChannelHost& host) {
  std::unique_ptr<ChannelSet> set(new ChannelSet(host));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kAdopted;
  if (::epoll_ctl(set->epoll_.get(), EPOLL_CTL_ADD, set->adopt_event_.get(), &event) == 0) {
    return set;
  }
  return base::fail(
      fmt::format("the connections of an event loop cannot be watched: {}", std::strerror(errno)));
}

ChannelSet::ChannelSet(ChannelHost& host) noexcept
    : host_(host),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      adopt_event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

bool ChannelSet::control(int operation, const ChildConnection& child,
                         unsigned events) const noexcept {
  epoll_event event{};
  event.events = events;
  event.data.u64 = child.id;
  return ::epoll_ctl(epoll_.get(), operation, child.connection.fd(), &event) == 0;
}

// --- Taking over -----------------------------------------------------------------------------

void ChannelSet::adopt(ChildConnection& child, std::string payload) {
  {
    const std::lock_guard lock(mutex_);
    if (!abandoned_) {
      adopted_.push_back({&child, std::move(payload)});
      const std::uint64_t one = 1;
      static_cast<void>(!::write(adopt_event_.get(), &one, sizeof one));
      return;
    }
  }
  host_.answer_retry(child, "the event loop has ended");
  host_.request_left();
}

void ChannelSet::take_adopted() {
  std::uint64_t count = 0;
  static_cast<void>(!::read(adopt_event_.get(), &count, sizeof count));
  std::vector<Adopted> adopted;
  {
    const std::lock_guard lock(mutex_);
    adopted.swap(adopted_);
  }
  for (Adopted& one : adopted) {
    const auto [entry, is_new] = members_.try_emplace(one.child->id, *one.child, nullptr);
    Member& member = entry->second;
    if (control(EPOLL_CTL_ADD, member.child, kReads)) {
      begin(member, std::move(one.payload));
    } else {
      host_.request_left();
      host_.close(member.child);
      members_.erase(entry);
    }
  }
}

// A request that was counted.
void ChannelSet::begin(Member& member, std::string payload) {
  ChannelKeeper& keeper = *this;
  auto channel = std::make_unique<WorkerChannel>(host_.next_number(), host_.log(), keeper);
  if (!channel->begin(member.child, std::move(payload))) {
    ChildConnection& child = member.child;
    host_.request_left();
    control(EPOLL_CTL_DEL, child, 0);
    members_.erase(child.id);
    return host_.reject(child, "a malformed REQUEST frame");
  }
  if (!host_.serves(channel->target())) return put_back(*channel, member.child);
  member.channel_or_null = channel.get();
  tell(ChannelEvent::Kind::begun, *channel);
  const std::lock_guard lock(channels_mutex_);
  channels_.emplace(channel->number(), std::move(channel));
}

// --- What comes ------------------------------------------------------------------------------

void ChannelSet::tell(ChannelEvent::Kind kind, WorkerChannel& channel) {
  events_.push_back({.kind = kind, .channel = &channel, .leaving = channel.leaving()});
}

std::span<const ChannelEvent> ChannelSet::pump() noexcept {
  events_.clear();
  std::array<epoll_event, kEventsMax> ready{};
  const int count = ::epoll_wait(epoll_.get(), ready.data(), int(ready.size()), 0);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = ready[std::size_t(i)];
    base::if_memory_allows([&] {
      if (event.data.u64 == kAdopted) {
        take_adopted();
      } else {
        serve(event.data.u64, event.events);
      }
    });
  }
  return events_;
}

void ChannelSet::serve(std::uint64_t id, unsigned events) {
  const auto found = members_.find(id);
  if (found == members_.end()) return;
  Member& member = found->second;
  if ((events & EPOLLOUT) != 0 && member.channel_or_null != nullptr) {
    WorkerChannel& channel = *member.channel_or_null;
    if (channel.make_use_of_room()) tell(ChannelEvent::Kind::room, channel);
  }
  if ((events & ~unsigned{EPOLLOUT}) == 0) return;
  // The channel may have given it up meanwhile, and nothing else has.
  if (const auto still = members_.find(id); still != members_.end()) read(still->second);
}

// Whoever has sent something and closed its sending side does not want it any more.
void ChannelSet::read(Member& member) {
  switch (member.child.connection.fill_now()) {
    case Io::done:
      break;
    case Io::timeout:
      return;
    case Io::malformed:
      return lose(member, member.child.connection.fault());
    case Io::closed:
    case Io::reset:
      return lose(member, "the httpd child has closed the connection");
  }
  while (true) {
    wire::Frame frame;
    switch (member.child.connection.next(frame)) {
      case wire::Connection::Next::incomplete:
        return;
      case wire::Connection::Next::malformed:
        return lose(member, member.child.connection.fault());
      case wire::Connection::Next::frame:
        if (!take(member, frame)) return;
        break;
    }
  }
}

// False when the connection is none of the set's any more, or not read any more.
bool ChannelSet::take(Member& member, const wire::Frame& frame) {
  if (WorkerChannel* const channel = member.channel_or_null) {
    const Heard heard = channel->hear(frame);
    if (heard == Heard::body) tell(ChannelEvent::Kind::body, *channel);
    if (heard == Heard::leave) tell(ChannelEvent::Kind::leave, *channel);
    if (heard != Heard::end) return true;
    lose(member, frame.type == FrameType::abort
                     ? "the client has gone"
                     : fmt::format("the httpd child sent {}", wire::name_of(frame.type)));
    return false;
  }
  if (frame.type == FrameType::request) return take_request(member, frame);
  ChildConnection& child = member.child;
  drop(child);
  if (frame.type == FrameType::abort || frame.type == FrameType::cancel) {
    host_.close(child);
  } else if (frame.type == FrameType::question) {
    child.connection.put_back(frame);
    host_.pass_on(child);
  } else {
    host_.reject(child, fmt::format("a {} frame outside of a request", wire::name_of(frame.type)));
  }
  return false;
}

// Counted before the flag is looked at: whoever drains then sees one or the other.
bool ChannelSet::take_request(Member& member, const wire::Frame& frame) {
  ChildConnection& child = member.child;
  const bool is_cancelled = child.connection.is_cancelled();
  host_.request_came();
  if (is_cancelled || host_.is_draining()) {
    drop(child);
    host_.answer_retry(child,
                       is_cancelled ? "the request was taken back" : "the worker is draining");
    host_.request_left();
    return false;
  }
  const std::uint64_t id = child.id;
  begin(member, std::string(frame.payload));
  return members_.contains(id);
}

// A channel has its connection until it is finished.
void ChannelSet::lose(Member& member, std::string_view why) {
  if (WorkerChannel* const channel = member.channel_or_null) {
    member.watched = false;
    control(EPOLL_CTL_DEL, member.child, 0);
    if (channel->lose(why)) tell(ChannelEvent::Kind::gone, *channel);
    return;
  }
  const ChildConnection& child = member.child;
  drop(child);
  host_.close(child);
}

void ChannelSet::drop(const ChildConnection& child) {
  const auto found = members_.find(child.id);
  if (found->second.watched) control(EPOLL_CTL_DEL, child, 0);
  members_.erase(found);
}

// The request is read once more, by a thread of the pool.
void ChannelSet::put_back(const WorkerChannel& channel, ChildConnection& child) {
  drop(child);
  host_.request_left();
  child.connection.put_back({FrameType::request, channel.payload()});
  host_.pass_on(child);
}

// --- What channels want ----------------------------------------------------------------------

void ChannelSet::watch(ChildConnection& child, Interest interest) noexcept {
  const unsigned reads = interest.reads ? kReads : 0U;
  const unsigned room = interest.room ? unsigned{EPOLLOUT} : 0U;
  control(EPOLL_CTL_MOD, child, reads | room);
}

void ChannelSet::reply_begins() noexcept {
  host_.before_reply();
}

void ChannelSet::detached(WorkerChannel& channel, ChildConnection& child, Then then) noexcept {
  const auto found = members_.find(child.id);
  if (channel.counts_as_activity()) last_end_ = base::Clock::now().time_since_epoch().count();
  host_.request_left();
  if (then == Then::close) {
    drop(child);
    return host_.close(child);
  }
  found->second.channel_or_null = nullptr;
}

void ChannelSet::handed_back(WorkerChannel& channel, ChildConnection& child) noexcept {
  put_back(channel, child);
  over(channel);
}

void ChannelSet::over(WorkerChannel& channel) noexcept {
  forget(channel);
  {
    const std::lock_guard lock(channels_mutex_);
    channels_.erase(channel.number());
  }
  host_.channel_over();
}

void ChannelSet::forget(const WorkerChannel& channel) noexcept {
  for (ChannelEvent& event : events_) {
    if (event.channel == &channel) event.channel = nullptr;
  }
}

// --- From outside ----------------------------------------------------------------------------

unsigned ChannelSet::in_background() const {
  const std::lock_guard lock(channels_mutex_);
  return static_cast<unsigned>(std::ranges::count_if(channels_, [](const auto& each) {
    return !each.second->clock().running() && !each.second->streams();
  }));
}

unsigned ChannelSet::streams() const {
  const std::lock_guard lock(channels_mutex_);
  return static_cast<unsigned>(
      std::ranges::count_if(channels_, [](const auto& each) { return each.second->streams(); }));
}

void ChannelSet::add_running(std::vector<RunningRequest>& running) const {
  const std::lock_guard lock(channels_mutex_);
  for (const auto& [number, channel] : channels_) {
    if (const auto now = channel->clock().running()) {
      running.push_back({.exchange = kInEventLoop, .number = number, .began = now->began});
    }
  }
}

std::optional<base::TimePoint> ChannelSet::last_end() const noexcept {
  const base::Clock::rep ended = last_end_;
  std::optional<base::TimePoint> last;
  if (ended != 0) last = base::TimePoint(base::Clock::duration(ended));
  const std::lock_guard lock(channels_mutex_);
  for (const auto& [number, channel] : channels_) last = std::max(last, channel->last_activity());
  return last;
}

bool ChannelSet::with(std::uint64_t number, const std::function<void(WatchedRequest&)>& act) const {
  const std::lock_guard lock(channels_mutex_);
  const auto found = channels_.find(number);
  if (found == channels_.end()) return false;
  act(*found->second);
  return true;
}

// --- The end of it ---------------------------------------------------------------------------

void ChannelSet::close_descriptors() const noexcept {
  ::close(epoll_.get());
  ::close(adopt_event_.get());
}

// The process ends: children see its connections end with it.
void ChannelSet::abandon() noexcept {
  std::vector<Adopted> adopted;
  {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
    adopted.swap(adopted_);
  }
  base::if_memory_allows([&] {
    for (const Adopted& one : adopted) {
      host_.answer_retry(*one.child, "the event loop has ended");
      host_.request_left();
    }
  });
}

}  // namespace pyhost::worker
