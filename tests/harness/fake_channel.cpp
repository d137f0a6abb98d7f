#include "harness/fake_channel.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "harness/wait.h"
#include "pyhost/gateway/http_status.h"

namespace pyhost::test {

using gateway::BodyPiece;
using gateway::ChannelEvent;
using gateway::Offered;

FakeChannels::FakeChannels() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void FakeChannels::post(ChannelEvent event) {
  {
    const std::lock_guard lock(mutex_);
    coming_.push_back(event);
  }
  const std::uint64_t one = 1;
  if (::write(wake_.get(), &one, sizeof one) != sizeof one) ADD_FAILURE() << "eventfd";
}

void FakeChannels::forget(const gateway::Channel& channel) {
  const auto forget_in = [&channel](std::vector<ChannelEvent>& events) {
    for (ChannelEvent& event : events) {
      if (event.channel == &channel) event.channel = nullptr;
    }
  };
  forget_in(pumped_);
  const std::lock_guard lock(mutex_);
  forget_in(coming_);
}

bool FakeChannels::abandoned() const {
  const std::lock_guard lock(mutex_);
  return abandoned_;
}

std::span<const ChannelEvent> FakeChannels::pump() noexcept {
  std::uint64_t count = 0;
  static_cast<void>(!::read(wake_.get(), &count, sizeof count));
  const std::lock_guard lock(mutex_);
  pumped_ = std::exchange(coming_, {});
  return pumped_;
}

void FakeChannels::abandon() noexcept {
  const std::lock_guard lock(mutex_);
  abandoned_ = true;
}

FakeChannel::FakeChannel(FakeChannels& source, const gateway::Target& target, Client client)
    : source_(source),
      target_(target),
      exchange_(client.request),
      arrived_(client.body == Body::arrived ? client.request.body : std::string()),
      body_complete_(client.body == Body::arrived),
      takes_(client.takes) {
  source_.post({.kind = ChannelEvent::Kind::begun, .channel = this});
}

FakeChannel::~FakeChannel() {
  wait_for([this] { return is_over(); }, "its end");
}

template <class Condition>
void FakeChannel::wait_for(Condition holds, const char* what) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, kPatience, holds)) {
    ADD_FAILURE() << "a channel waited too long for " << what;
    abort();  // the loop still has it
  }
}

void FakeChannel::send_body(std::string bytes, BodyPiece end) {
  {
    const std::lock_guard lock(mutex_);
    arrived_ += bytes;
    body_complete_ = end.complete;
    fault_ = end.fault;
  }
  source_.post({.kind = ChannelEvent::Kind::body, .channel = this});
}

void FakeChannel::leave() {
  {
    const std::lock_guard lock(mutex_);
    left_ = true;
  }
  source_.post({.kind = ChannelEvent::Kind::gone, .channel = this});
}

void FakeChannel::take_some() {
  source_.post({.kind = ChannelEvent::Kind::room, .channel = this});
}

void FakeChannel::take_all() {
  {
    const std::lock_guard lock(mutex_);
    takes_ = true;
  }
  take_some();
}

void FakeChannel::tell_to_leave(gateway::Leaving why) {
  source_.post({.kind = ChannelEvent::Kind::leave, .channel = this, .leaving = why});
}

const gateway::Outcome& FakeChannel::outcome() {
  wait_for([this] { return is_over(); }, "its outcome");
  const std::lock_guard lock(mutex_);
  if (handed_back_) ADD_FAILURE() << "a channel was handed back";
  static const gateway::Outcome none{gateway::Outcome::Kind::outdated};
  return outcome_ ? *outcome_ : none;
}

bool FakeChannel::handed_back() {
  wait_for([this] { return is_over(); }, "its end");
  const std::lock_guard lock(mutex_);
  return handed_back_;
}

void FakeChannel::wait_for_parts(std::size_t count) {
  wait_for([this, count] { return parts_ >= count || is_over(); }, "a part of the reply");
}

void FakeChannel::wait_for_want_body() {
  wait_for([this] { return bodies_wanted_ > 0 || is_over(); }, "a look for the body");
}

std::string FakeChannel::wait_for_stream(std::size_t offset) {
  wait_for([this, offset] { return streamed_.size() > offset || stream_ended_ || is_over(); },
           "what a WebSocket sends");
  const std::lock_guard lock(mutex_);
  return streamed_.substr(std::min(offset, streamed_.size()));
}

bool FakeChannel::stream_ended() const {
  const std::lock_guard lock(mutex_);
  return stream_ended_ || is_over();
}

bool FakeChannel::ended_at_once() const {
  const std::lock_guard lock(mutex_);
  return ended_at_once_;
}

gateway::SocketCounts FakeChannel::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

std::size_t FakeChannel::parts() const {
  const std::lock_guard lock(mutex_);
  return parts_;
}

int FakeChannel::bodies_wanted() const {
  const std::lock_guard lock(mutex_);
  return bodies_wanted_;
}

BodyPiece FakeChannel::take_body() noexcept {
  const std::lock_guard lock(mutex_);
  taken_ = std::exchange(arrived_, {});
  return {.bytes = taken_, .complete = body_complete_, .fault = fault_};
}

void FakeChannel::want_body() noexcept {
  {
    const std::lock_guard lock(mutex_);
    ++bodies_wanted_;
  }
  changed_.notify_all();
}

Offered FakeChannel::offer(const gateway::ReplyPart& part) noexcept {
  const std::unique_lock lock(mutex_);
  if (is_over()) ADD_FAILURE() << "a part was offered when the channel was over";
  if (stream_ended_) ADD_FAILURE() << "a part was offered behind the end of a stream";
  if (left_) return Offered::dropped;
  exchange_.send(part);
  if (part.head != nullptr && part.head->status == gateway::kSwitchingProtocols) {
    is_stream_ = true;
    body_complete_ = false;
  }
  if (is_stream_) {
    for (const std::string_view block : part.blocks) streamed_ += block;
    stream_ended_ = part.then == gateway::ReplyPart::Then::end;
  }
  ++parts_;
  changed_.notify_all();
  return takes_ ? Offered::taken : Offered::full;
}

void FakeChannel::end_at_once() noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (!is_stream_ || stream_ended_ || is_over()) ADD_FAILURE() << "there is no stream to end";
    stream_ended_ = ended_at_once_ = true;
  }
  changed_.notify_all();
}

void FakeChannel::note_message(Way way) noexcept {
  const std::lock_guard lock(mutex_);
  ++(way == Way::received ? counts_.received : counts_.sent);
}

void FakeChannel::note_close(std::uint16_t code) noexcept {
  const std::lock_guard lock(mutex_);
  counts_.close_code = code;
}

void FakeChannel::offer_early_hints(std::span<const gateway::Header> headers) noexcept {
  exchange_.send_early_hints(headers);
}

void FakeChannel::finish(const gateway::Outcome& outcome) noexcept {
  source_.forget(*this);
  const std::lock_guard lock(mutex_);
  if (is_over()) ADD_FAILURE() << "a channel was finished twice";
  outcome_ = outcome;
  changed_.notify_all();
}

void FakeChannel::hand_back() noexcept {
  source_.forget(*this);
  const std::lock_guard lock(mutex_);
  if (parts_ != 0) ADD_FAILURE() << "a channel was handed back behind a part of its reply";
  handed_back_ = true;
  changed_.notify_all();
}

}  // namespace pyhost::test
