// One request and its reply, as an event loop sees them: nothing here waits.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "pyhost/gateway/caller.h"
#include "pyhost/gateway/exchange.h"
#include "pyhost/gateway/leaving.h"
#include "pyhost/gateway/outcome.h"
#include "pyhost/gateway/target.h"

namespace pyhost::gateway {

// How much of a reply is kept while the client does not take it: from the first number on, whoever
// makes the reply is to wait, until no more than the second is left.
inline constexpr std::size_t kChannelBytesHigh = 64 * 1024;
inline constexpr std::size_t kChannelBytesLow = 16 * 1024;

// What has arrived of a request body.
struct BodyPiece {
  std::string_view
      bytes;              // until the next call of the channel's take_body() or the source's pump()
  bool complete = false;  // nothing comes behind them
  BodyFault fault = BodyFault::none;  // or the body breaks off behind them, for good
};

// What becomes of a part of the reply.
enum class Offered {
  taken,
  full,        // taken, but it is the last one until there is room again
  dropped,     // nobody listens any more
  superseded,  // httpd has answered the request itself: this and all later parts are dropped
};

// Whoever has a channel's exchange run; what it is, only that one knows.
class ChannelOwner {
 protected:
  ~ChannelOwner() = default;
};

// Belongs to its owner's thread from ChannelEvent::begun to finish(); only records may come from
// any thread. No call waits, and none throws; the caller holds no interpreter lock. Large pieces of
// the reply are copied where they cannot leave at once.
//
// Where the request offers a WebSocket, a reply may begin with a head whose status is 101, without
// blocks. From then on the channel is a stream of bytes both ways: what is offered goes to the
// client as it is, Then::pause or not, and what the client sends is its body, which comes without
// being asked for, no more than kChannelBytesHigh ahead of take_body(), and is complete when the
// client has closed its side. Then::end closes the client's connection.
class Channel : public Caller {
 public:
  // Both stay as they are until finish().
  virtual const Target& target() const noexcept = 0;
  virtual const RequestHead& head() const noexcept = 0;

  // Everything that has arrived and was not taken. Without bytes, end and fault: nothing yet.
  virtual BodyPiece take_body() noexcept = 0;
  // Asks for more of the body; ChannelEvent::body follows, once. At the first call the client is
  // told "100 Continue" when it waits for that. Without effect while an earlier call is unanswered,
  // and where nothing is to come.
  virtual void want_body() noexcept = 0;

  // PRECONDITION: no part with Then::end was offered before, and no end_at_once(); with a file, the
  // last one was not `full`, or there has been room since.
  virtual Offered offer(const ReplyPart& part) noexcept = 0;
  // Of a stream, instead of a part with Then::end: what has not left by now never does.
  virtual void end_at_once() noexcept = 0;
  // Of a stream: the application has received a message, or has sent one. What keeps a connection
  // alive does not keep a worker from being idle.
  enum class Way { received, sent };
  virtual void note_message(Way way) noexcept = 0;
  // Of a stream, before its end: how its WebSocket is closed (RFC 6455, 7.4).
  virtual void note_close(std::uint16_t code) noexcept = 0;
  // As Exchange::send_early_hints().
  virtual void offer_early_hints(std::span<const Header> headers) noexcept = 0;

  // The run has ended: the channel is not the owner's any more. Once.
  virtual void finish(const Outcome& outcome) noexcept = 0;
  // Instead, before anything was taken or offered: whoever has begun it has it run otherwise.
  virtual void hand_back() noexcept = 0;

  // Null until the owner has set it.
  ChannelOwner* owner_or_null() const noexcept { return owner_or_null_; }
  void set_owner(ChannelOwner& owner) noexcept { owner_or_null_ = &owner; }

 private:
  ChannelOwner* owner_or_null_ = nullptr;
};

// What has happened to a channel. Nothing is said of one that was finished or handed back.
struct ChannelEvent {
  enum class Kind : std::uint8_t {
    begun,  // a request has come: whoever serves the source owns the channel from here on
    body,   // take_body() has something new
    room,   // after Offered::full: no more than kChannelBytesLow are left
    gone,   // the client has left, or httpd has answered itself; once
    leave,  // a stream is to be closed soon
  };
  Kind kind{};
  Channel* channel = nullptr;  // null when it was finished before the event was acted on
  Leaving leaving{};           // of `leave`
};

// Many channels behind one descriptor. Used by the loop's thread alone.
class ChannelSource {
 public:
  virtual ~ChannelSource() = default;

  // Can be read when pump() has something to do. Stays the same.
  virtual int fd() const noexcept = 0;

  // Reads and writes what goes without waiting, and says what has come of it: each event is acted
  // on before the next call, in order. One of a channel that is finished meanwhile loses its
  // channel. A bounded number at a time; fd() stays readable while more is due. The caller holds no
  // interpreter lock.
  virtual std::span<const ChannelEvent> pump() noexcept = 0;

  // The loop has ended and pumps no more; what has not been finished never is.
  virtual void abandon() noexcept = 0;
};

}  // namespace pyhost::gateway
