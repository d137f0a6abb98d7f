#include "asgi/socket_inbox.h"

#include <gtest/gtest.h>

namespace pyhost::asgi {
namespace {

using Room = SocketInbox::Room;

SocketInbox::Message message(std::size_t bytes) {
  return {true, std::string(bytes, 'x')};
}

TEST(SocketInbox, GivesMessagesInTheirOrder) {
  std::size_t sum = 0;
  SocketInbox inbox(sum);
  inbox.push({true, "one"});
  inbox.push({false, "two"});
  EXPECT_EQ(inbox.pop().payload, "one");
  const SocketInbox::Message second = inbox.pop();
  EXPECT_EQ(second.payload, "two");
  EXPECT_FALSE(second.is_text);
  EXPECT_TRUE(inbox.empty());
  EXPECT_EQ(sum, 0u);
}

TEST(SocketInbox, HasRoomForOneMessageOrForWhatIsSmall) {
  std::size_t sum = 0;
  SocketInbox inbox(sum);
  inbox.note_under_way(10 * kUnreadBytesMax);
  EXPECT_EQ(inbox.room(), Room::yes);
  inbox.note_under_way(0);
  inbox.push(message(kUnreadBytesMax / 2));
  EXPECT_EQ(inbox.room(), Room::yes);
  inbox.note_under_way(kUnreadBytesMax / 2);
  EXPECT_EQ(inbox.room(), Room::when_empty);
  inbox.pop();
  EXPECT_EQ(inbox.room(), Room::yes);
}

// Many messages without bytes are not for nothing.
TEST(SocketInbox, CountsMessagesThatAreEmpty) {
  std::size_t sum = 0;
  SocketInbox inbox(sum);
  int count = 0;
  while (inbox.room() == Room::yes) {
    inbox.push(message(0));
    ++count;
  }
  EXPECT_LT(count, 4000);
}

TEST(SocketInbox, ShareWhatTheirLoopHas) {
  std::size_t sum = 0;
  {
    SocketInbox large(sum);
    large.note_under_way(kUnreadBytesOfLoopMax);
    EXPECT_EQ(large.room(), Room::yes);
    SocketInbox other(sum);
    other.note_under_way(kUnreadBytesMax - 1);
    EXPECT_EQ(other.room(), Room::yes);
    // One that is under way and cannot be received would wait for others of its kind.
    EXPECT_EQ(large.room(), Room::never);
    other.note_under_way(kUnreadBytesMax);
    EXPECT_EQ(other.room(), Room::never);
    other.note_under_way(0);
    other.push(message(kUnreadBytesMax));
    EXPECT_EQ(other.room(), Room::when_empty);
    other.drop_all();
    EXPECT_EQ(sum, kUnreadBytesOfLoopMax);
  }
  EXPECT_EQ(sum, 0u);
}

}  // namespace
}  // namespace pyhost::asgi
