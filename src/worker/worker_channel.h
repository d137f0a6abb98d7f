// A request for an event loop that came over a connection from a httpd child.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "os/fork_watch.h"
#include "pyhost/gateway/channel.h"
#include "wire/connection.h"
#include "wire/messages.h"
#include "worker/child_connections.h"
#include "worker/outgoing_frames.h"
#include "worker/request_clock.h"
#include "worker/watched_request.h"

namespace pyhost::worker {

class WorkerChannel;

// Whoever has the channels of a loop; on the loop's thread, but for watch().
class ChannelKeeper {
 public:
  // What is waited for in that connection. Any thread.
  struct Interest {
    bool reads = true;  // what comes
    bool room = false;
  };
  virtual void watch(ChildConnection& child, Interest interest) noexcept = 0;
  // Before anything of a reply is sent.
  virtual void reply_begins() noexcept = 0;
  // The channel needs its connection no more, which may have the next request, or is to be closed.
  enum class Then { reuse, close };
  virtual void detached(WorkerChannel& channel, ChildConnection& child, Then then) noexcept = 0;
  // Its request is to be read once more, by somebody else. The channel is over.
  virtual void handed_back(WorkerChannel& channel, ChildConnection& child) noexcept = 0;
  // Nobody uses it any more.
  virtual void over(WorkerChannel& channel) noexcept = 0;

 protected:
  ~ChannelKeeper() = default;
};

// Belongs to the loop's thread; records may come from any. It gives its connection up as soon as
// the reply's end has left, and lives until its owner finishes it, while the application may still
// run. What is logged behind that end, or what the child no longer takes, goes to the process's own
// log.
class WorkerChannel final : public gateway::Channel, public WatchedRequest {
 public:
  // Both outlive it. No other request in a loop has that number.
  WorkerChannel(std::uint64_t number, base::LogSink& process_log, ChannelKeeper& keeper) noexcept
      : number_(number), process_log_(process_log), keeper_(keeper) {}
  WorkerChannel(const WorkerChannel&) = delete;
  WorkerChannel& operator=(const WorkerChannel&) = delete;

  // Begins with the payload of a REQUEST frame; false when it is none.
  bool begin(ChildConnection& child, std::string payload);

  // --- What comes over the connection ---
  enum class Heard {
    nothing,  // that anybody has to be told of
    body,     // the owner is to be told
    leave,    // the same: leaving()
    end,      // the connection is lost: lose()
  };
  Heard hear(const wire::Frame& frame);
  // The connection has ended, or cannot be understood. Whether the owner is to be told; if not, the
  // channel may be over.
  bool lose(std::string_view why);
  // There is room in it. The same.
  bool make_use_of_room();

  gateway::Leaving leaving() const noexcept { return leaving_; }

  std::uint64_t number() const noexcept { return number_; }
  // Of the request, until its reply has left, or has become a stream.
  const RequestClock& clock() const noexcept { return clock_; }
  // Whether it is a stream that has its connection. Any thread.
  bool streams() const noexcept { return streams_; }
  // When a message of it has come or gone; nothing before the first one has. Any thread.
  std::optional<base::TimePoint> last_activity() const noexcept;
  bool counts_as_activity() const noexcept { return !request_.head.ignores_activity; }

  // --- WatchedRequest; the number is its own ---
  std::string script_of(std::uint64_t number) const override;
  RequestLine request_line_of(std::uint64_t number) const override;
  void note(std::uint64_t number, base::LogLevel level, base::Message message,
            std::string_view text) noexcept override;
  [[nodiscard]] bool give_up(std::uint64_t number, gateway::FailureCause failure,
                             std::string_view cause) noexcept override;
  const gateway::Caller& caller() const noexcept override { return *this; }

  std::string_view payload() const noexcept { return payload_; }

  // --- The owner's side ---
  const gateway::Target& target() const noexcept override { return request_.target; }
  const gateway::RequestHead& head() const noexcept override { return request_.head; }
  gateway::BodyPiece take_body() noexcept override;
  void want_body() noexcept override;
  gateway::Offered offer(const gateway::ReplyPart& part) noexcept override;
  void end_at_once() noexcept override;
  void note_message(Way way) noexcept override;
  void note_close(std::uint16_t code) noexcept override { counts_.close_code = code; }
  void offer_early_hints(std::span<const gateway::Header> headers) noexcept override;
  void finish(const gateway::Outcome& outcome) noexcept override;
  void hand_back() noexcept override;
  bool wants(base::LogLevel level) const noexcept override { return process_log_.wants(level); }
  void log(base::LogLevel level, base::Message message, std::string_view text) noexcept override;
  void log_application(const base::ApplicationRecord& record) noexcept override;

 private:
  enum class Reply { unsent, open, ended };

  bool is_open_locked() const noexcept {
    return child_or_null_ != nullptr && !lost_ && !os::ForkWatch::in_forked_process();
  }
  bool send_locked() noexcept;
  void watch_room_locked() noexcept;
  template <class Encode>
  bool send_locked(const Encode& encode) noexcept;
  bool takes_records_locked() const noexcept;
  bool encode_locked(const gateway::ReplyPart& part);
  void begin_stream_locked() noexcept;
  void note_activity(base::TimePoint now) noexcept;
  void encode_counts(std::string& out);
  void pause_reading(bool pause) noexcept;
  void watch_locked() noexcept;
  void lose_locked() noexcept;
  void encode_end_of_failure_locked(const gateway::Outcome& outcome);
  // Gives the connection up when nothing is to be sent over it any more. Whether the channel has
  // none then.
  bool detach_if_done() noexcept;
  // The same, and is over when that is finished: nothing of it is there any more then. Whether it
  // is.
  bool leave_if_done() noexcept;
  void announce_reply() noexcept;
  template <class Encode>
  bool send_record(const Encode& encode) noexcept;

  const std::uint64_t number_;
  base::LogSink& process_log_;
  ChannelKeeper& keeper_;
  std::string payload_;
  std::vector<gateway::EnvironEntry> environ_;
  wire::RequestMessage request_;
  RequestClock clock_;
  bool finished_ = false;
  bool announced_ = false;

  // The body:
  std::string body_;   // has come, and was not taken
  std::string taken_;  // what take_body() has given
  bool body_follows_ = false;
  bool body_awaited_ = false;  // WANT_BODY has no answer yet
  std::uint64_t body_bytes_ = 0;
  gateway::BodyFault fault_ = gateway::BodyFault::none;
  gateway::Leaving leaving_{};
  std::atomic<bool> streams_ = false;
  std::atomic<base::Clock::rep> last_activity_ = 0;  // 0: there was none
  gateway::SocketCounts counts_;                     // since counts_told_
  base::TimePoint counts_told_{};

  mutable std::mutex mutex_;  // guards what follows
  ChildConnection* child_or_null_ = nullptr;
  OutgoingFrames out_;
  Reply reply_ = Reply::unsent;
  bool full_ = false;
  bool watches_room_ = false;
  bool pauses_reading_ = false;
  bool lost_ = false;
  bool closes_ = false;  // the connection is not to have another request
};

}  // namespace pyhost::worker
