// The connections whose requests an event loop serves.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "os/fork_watch.h"
#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"
#include "pyhost/gateway/channel.h"
#include "worker/running_request.h"
#include "worker/watched_request.h"
#include "worker/worker_channel.h"

namespace pyhost::worker {

// Whose connections they are. Any thread.
class ChannelHost {
 public:
  virtual base::LogSink& log() noexcept = 0;
  // Whether requests are sent back. Asked of one that request_came() was told of.
  virtual bool is_draining() const noexcept = 0;
  // Whether it is for this worker to run; otherwise the pool says why not.
  virtual bool serves(const gateway::Target& target) const = 0;
  // A request is there, or is not any more.
  virtual void request_came() = 0;
  virtual void request_left() = 0;
  // For a channel; never the same twice.
  virtual std::uint64_t next_number() noexcept = 0;
  virtual void before_reply() = 0;
  // What an application has done, perhaps behind its reply, is over.
  virtual void channel_over() = 0;
  virtual void close(const ChildConnection& child) = 0;
  // A message has come over it that was put back: for any thread of the pool.
  virtual void pass_on(ChildConnection& child) = 0;
  // What has come over it is no frame, or none that may come now.
  virtual void reject(ChildConnection& child, std::string_view why) = 0;
  virtual void answer_retry(ChildConnection& child, std::string_view why) = 0;

 protected:
  ~ChannelHost() = default;
};

// Connections stay with the loop that their last request was for: all of them are in one epoll set,
// and the loop's thread reads the next request itself. One that is for somebody else goes back to
// the pool with its connection. Used by the loop's thread, but for adopt() and watch().
class ChannelSet final : public gateway::ChannelSource, private ChannelKeeper {
 public:
  // The host outlives it.
  static base::Result<std::unique_ptr<ChannelSet>> open(ChannelHost& host);
  ChannelSet(const ChannelSet&) = delete;
  ChannelSet& operator=(const ChannelSet&) = delete;

  // A request for the loop, which request_came() was told of: the connection with the payload of
  // the REQUEST frame that next() has given last. Any thread.
  void adopt(ChildConnection& child, std::string payload);

  // --- From outside, any thread ---

  // How many applications go on behind their replies.
  unsigned in_background() const;
  // How many requests have become streams that are open.
  unsigned streams() const;
  // Adds the requests that run to `running`.
  void add_running(std::vector<RunningRequest>& running) const;
  // When the last request ended that counts as activity, or something moved in a stream; nothing
  // before the first one has.
  std::optional<base::TimePoint> last_end() const noexcept;
  // Calls `act` with the request of that number, which is there meanwhile; false when there is
  // none.
  bool with(std::uint64_t number, const std::function<void(WatchedRequest&)>& act) const;

  // --- The loop's side ---
  int fd() const noexcept override { return epoll_.get(); }
  std::span<const gateway::ChannelEvent> pump() noexcept override;
  void abandon() noexcept override;

 private:
  // A connection in the set, and the channel that needs it.
  struct Member {
    ChildConnection& child;
    WorkerChannel* channel_or_null;  // between two requests: null
    bool watched = true;             // what comes over it
  };
  struct Adopted {
    ChildConnection* child;
    std::string payload;
  };

  explicit ChannelSet(ChannelHost& host) noexcept;

  bool control(int operation, const ChildConnection& child, unsigned events) const noexcept;
  void take_adopted();
  void begin(Member& member, std::string payload);
  void serve(std::uint64_t id, unsigned events);
  void tell(gateway::ChannelEvent::Kind kind, WorkerChannel& channel);
  void read(Member& member);
  bool take(Member& member, const wire::Frame& frame);
  bool take_request(Member& member, const wire::Frame& frame);
  void lose(Member& member, std::string_view why);
  void drop(const ChildConnection& child);
  void put_back(const WorkerChannel& channel, ChildConnection& child);
  void forget(const WorkerChannel& channel) noexcept;
  void close_descriptors() const noexcept;

  // ChannelKeeper
  void reply_begins() noexcept override;
  void watch(ChildConnection& child, Interest interest) noexcept override;
  void detached(WorkerChannel& channel, ChildConnection& child, Then then) noexcept override;
  void handed_back(WorkerChannel& channel, ChildConnection& child) noexcept override;
  void over(WorkerChannel& channel) noexcept override;

  ChannelHost& host_;
  base::UniqueFd epoll_;
  base::UniqueFd adopt_event_;
  std::unordered_map<std::uint64_t, Member> members_;  // by the id of the connection
  std::vector<gateway::ChannelEvent> events_;

  // By their numbers. Only the loop's thread changes it, guarded by the next one; others look.
  std::map<std::uint64_t, std::unique_ptr<WorkerChannel>> channels_;
  mutable std::mutex channels_mutex_;
  std::atomic<base::Clock::rep> last_end_ = 0;  // 0: none has ended

  std::mutex mutex_;
  std::vector<Adopted> adopted_;  // guarded by mutex_, as the next one
  bool abandoned_ = false;
  const os::ForkWatch fork_watch_{mutex_, [this] { close_descriptors(); }};
};

}  // namespace pyhost::worker
