// Messages of a client that its application has not received.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <utility>

namespace pyhost::asgi {

// How far a client may be ahead of its application; one message may be larger.
inline constexpr std::size_t kUnreadBytesMax = 64 * 1024;
// All clients of a loop in sum, but for so much of each.
inline constexpr std::size_t kUnreadBytesOfLoopMax = 256 * 1024 * 1024;

// Says when no more is to be read. The sum of the loop outlives it.
class SocketInbox {
 public:
  explicit SocketInbox(std::size_t& sum_of_loop) noexcept : sum_(sum_of_loop) {}
  SocketInbox(const SocketInbox&) = delete;
  SocketInbox& operator=(const SocketInbox&) = delete;
  ~SocketInbox() { note(0, 0); }

  struct Message {
    bool is_text;
    std::string payload;
  };
  bool empty() const noexcept { return messages_.empty(); }
  void push(Message message) {
    const std::size_t bytes = cost_of(message);
    messages_.push_back(std::move(message));
    note(waiting_ + bytes, under_way_);
  }
  // PRECONDITION: it is not empty.
  Message pop() {
    Message message = std::move(messages_.front());
    messages_.pop_front();
    note(waiting_ - cost_of(message), under_way_);
    return message;
  }
  void drop_all() noexcept {
    messages_.clear();
    note(0, 0);
  }
  // So much is kept of a message that is not complete.
  void note_under_way(std::size_t bytes) noexcept { note(waiting_, bytes); }

  enum class Room {
    yes,
    // Until the application has received all that waits.
    when_empty,
    // There is none for the message that is under way, and nothing here that could be received.
    never,
  };
  Room room() const noexcept {
    const bool too_much = waiting_ + under_way_ >= kUnreadBytesMax;
    if (!too_much) return Room::yes;
    if (!empty()) return Room::when_empty;
    return sum_ <= kUnreadBytesOfLoopMax ? Room::yes : Room::never;
  }

 private:
  // What an empty one takes, too.
  static std::size_t cost_of(const Message& message) noexcept {
    return message.payload.size() + sizeof message;
  }
  void note(std::size_t waiting, std::size_t under_way) noexcept {
    sum_ += waiting + under_way - waiting_ - under_way_;
    waiting_ = waiting;
    under_way_ = under_way;
  }

  std::size_t& sum_;
  std::deque<Message> messages_;
  std::size_t waiting_ = 0;
  std::size_t under_way_ = 0;
};

}  // namespace pyhost::asgi
