// A request and its reply between a httpd child and a worker, when nothing goes wrong.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <filesystem>
#include <latch>
#include <thread>

#include "daemon/group_fixture.h"

namespace pyhost::test {
namespace {

using gateway::Buffering;
using gateway::Outcome;
using gateway::ReplyPart;
using gateway::SendResult;

using RemoteExchange = GroupTest;

std::string pattern(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(i * 131 >> 3);
  return text;
}

FakeEngine::Application echo() {
  return [](const gateway::Target&, gateway::Exchange& exchange) {
    return reply(exchange, read_whole_body(exchange).bytes);
  };
}

TEST_F(RemoteExchange, CompleteReplyIsOnePart) {
  applications_.add("/apps/hello", [](const gateway::Target& target, gateway::Exchange& exchange) {
    EXPECT_EQ(target.process_group, "blog");
    return reply(exchange, "hello " + environ_value(exchange, "HTTP_X_NAME"));
  });
  start_worker(0);
  FakeExchange exchange({.environ = {{"HTTP_X_NAME", "world"}}});
  EXPECT_EQ(run("/apps/hello", exchange).kind, Outcome::Kind::complete);
  EXPECT_EQ(exchange.status(), 200);
  EXPECT_EQ(exchange.header("content-type"), "text/plain");
  EXPECT_EQ(exchange.body(), "hello world");
  EXPECT_TRUE(exchange.ended());
  EXPECT_EQ(exchange.parts().size(), 1u);
  EXPECT_EQ(scoreboard_->status(0).outstanding, 0u);
}

TEST_F(RemoteExchange, ConnectionServesManyExchanges) {
  applications_.add("/apps/echo", echo());
  start_worker(0, 1);
  for (int i = 0; i < 50; ++i) {
    FakeExchange exchange({.body = fmt::format("body {}", i)});
    EXPECT_EQ(run("/apps/echo", exchange).kind, Outcome::Kind::complete);
    EXPECT_EQ(exchange.body(), fmt::format("body {}", i));
  }
}

TEST_F(RemoteExchange, ConnectionThatTheWorkerHasClosedIsReplaced) {
  applications_.add("/apps/echo", echo());
  for (int i = 0; i < 2; ++i) {
    // The second time, this ends the worker of the first.
    start_worker(0);
    FakeExchange exchange({.body = "body"});
    EXPECT_EQ(run("/apps/echo", exchange).kind, Outcome::Kind::complete);
    EXPECT_EQ(exchange.body(), "body");
    ASSERT_EQ(::unlink(settings_.socket_paths[0].c_str()), 0);
  }
}

TEST_F(RemoteExchange, LargeBodyComesThroughAFile) {
  applications_.add("/apps/echo", echo());
  start_worker(0);
  const std::string body = pattern(3'000'001);
  FakeExchange exchange({.body = body});
  EXPECT_EQ(run("/apps/echo", exchange).kind, Outcome::Kind::complete);
  EXPECT_TRUE(exchange.body() == body);
}

TEST_F(RemoteExchange, StreamedBodyIsReadWhenTheApplicationReads) {
  applications_.add("/apps/echo", echo());
  applications_.add("/apps/hello", [](const gateway::Target&, gateway::Exchange& exchange) {
    return reply(exchange, "hello");
  });
  start_worker(0);
  const std::string body = pattern(1'000'000);
  FakeExchange read({.body = body, .chunked = true, .buffering = Buffering::off});
  EXPECT_EQ(run("/apps/echo", read).kind, Outcome::Kind::complete);
  EXPECT_TRUE(read.body() == body);
  FakeExchange unread({.body = body, .buffering = Buffering::off});
  EXPECT_EQ(run("/apps/hello", unread).kind, Outcome::Kind::complete);
  EXPECT_EQ(unread.body_reads(), 0u);
}

TEST_F(RemoteExchange, LargeReplyDoesNotWaitForAnUnreadBody) {
  const std::string large = pattern(5'000'000);
  applications_.add("/apps/large", [&](const gateway::Target&, gateway::Exchange& exchange) {
    char byte = 0;
    EXPECT_EQ(exchange.read_body({&byte, 1}).bytes, 1u);
    return reply(exchange, large);
  });
  start_worker(0);
  for (const Buffering buffering : {Buffering::on, Buffering::off}) {
    FakeExchange exchange({.body = pattern(4'000'000), .buffering = buffering});
    EXPECT_EQ(run("/apps/large", exchange).kind, Outcome::Kind::complete);
    EXPECT_TRUE(exchange.body() == large);
  }
}

TEST_F(RemoteExchange, BlockIsFlushedWhenTheApplicationPauses) {
  std::latch first_seen(1);
  applications_.add("/apps/stream", [&](const gateway::Target&, gateway::Exchange& exchange) {
    const gateway::ResponseHead head;
    const std::string_view first = "one", second = "two";
    exchange.send({.head = &head, .blocks = {&first, 1}, .then = ReplyPart::Then::pause});
    first_seen.wait();
    exchange.send({.blocks = {&second, 1}, .then = ReplyPart::Then::pause});
    exchange.send({.then = ReplyPart::Then::end});
    return Outcome{};
  });
  start_worker(0);
  FakeExchange exchange;
  std::thread client([&] { run("/apps/stream", exchange); });
  EXPECT_TRUE(wait_until([&] { return exchange.parts_sent() != 0; }));
  first_seen.count_down();
  client.join();
  EXPECT_EQ(exchange.body(), "onetwo");
  EXPECT_EQ(exchange.parts().front().then, ReplyPart::Then::pause);
}

TEST_F(RemoteExchange, FileIsPassedAsADescriptor) {
  const std::string path = folder_.write("data", "0123456789");
  applications_.add("/apps/file", [&](const gateway::Target&, gateway::Exchange& exchange) {
    const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    const gateway::ResponseHead head{.content_length = 5};
    const gateway::FileRange range{.fd = file.get(), .offset = 2, .length = 5};
    exchange.send({.head = &head, .file = &range, .then = ReplyPart::Then::end});
    return Outcome{};
  });
  start_worker(0);
  FakeExchange exchange;
  EXPECT_EQ(run("/apps/file", exchange).kind, Outcome::Kind::complete);
  ASSERT_EQ(exchange.parts().size(), 1u);
  EXPECT_EQ(exchange.parts()[0].file, "23456");
}

// The kernel doubles what is asked for.
bool is_open_with(int option, int bytes) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    int value = 0;
    socklen_t size = sizeof value;
    const int fd = std::stoi(entry.path().filename());
    sockaddr_un peer{};
    socklen_t peer_size = sizeof peer;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0) continue;
    if (::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 && value == 2 * bytes) return true;
  }
  return false;
}

TEST_F(RemoteExchange, BothEndsHaveTheGroupsBufferSizes) {
  constexpr int kSend = 23'456, kReceive = 34'567;
  settings_.group.send_buffer_size_bytes = kSend;
  settings_.group.receive_buffer_size_bytes = kReceive;
  applications_.add("/apps/echo", echo());
  start_worker(0, 1, [&](int listening) {
    ::setsockopt(listening, SOL_SOCKET, SO_SNDBUF, &kSend, sizeof kSend);
    ::setsockopt(listening, SOL_SOCKET, SO_RCVBUF, &kReceive, sizeof kReceive);
  });
  FakeExchange exchange;
  EXPECT_EQ(run("/apps/echo", exchange).kind, Outcome::Kind::complete);
  // The worker's end sends with the one, the child's with the other.
  EXPECT_TRUE(is_open_with(SO_SNDBUF, kSend));
  EXPECT_TRUE(is_open_with(SO_SNDBUF, kReceive));
}

TEST_F(RemoteExchange, RecordsReachTheRequestsOwnLog) {
  applications_.add("/apps/log", [](const gateway::Target&, gateway::Exchange& exchange) {
    exchange.log(base::LogLevel::warn, base::Message::none, "two\nlines");
    const Outcome outcome = reply(exchange, "ok");
    exchange.log(base::LogLevel::error, base::Message::close_failed, "behind the end");
    return outcome;
  });
  start_worker(0);
  FakeExchange exchange;
  run("/apps/log", exchange);
  EXPECT_EQ(exchange.recorder().text(), "two\nlines\n");
  EXPECT_TRUE(wait_until(
      [&] { return worker_log_.text_of(base::Message::close_failed) == "behind the end\n"; }));
}

TEST_F(RemoteExchange, LongRecordReachesTheRequestsLogWithItsEnd) {
  const std::string text = pattern(3'000'000);
  applications_.add("/apps/log", [&](const gateway::Target&, gateway::Exchange& exchange) {
    exchange.log(base::LogLevel::error, base::Message::none, text);
    return reply(exchange, "ok");
  });
  start_worker(0);
  FakeExchange exchange;
  EXPECT_EQ(run("/apps/log", exchange).kind, Outcome::Kind::complete);
  // What was a line's end may be the end of a record.
  EXPECT_TRUE(exchange.recorder().text().ends_with(text.substr(text.size() - 1000) + '\n'));
  EXPECT_GE(exchange.recorder().text().size(), text.size());
}

TEST_F(RemoteExchange, RecordsMayComeFromOtherThreads) {
  constexpr int kRecords = 200;
  applications_.add("/apps/log", [](const gateway::Target&, gateway::Exchange& exchange) {
    const gateway::ResponseHead head;
    const std::string block(5000, 'x');
    const std::string_view view = block;
    exchange.send({.head = &head, .then = ReplyPart::Then::pause});
    std::thread other([&exchange] {
      for (int i = 0; i < kRecords; ++i) {
        exchange.log(base::LogLevel::warn, base::Message::none, "record");
      }
    });
    for (int i = 0; i < kRecords; ++i) {
      exchange.send({.blocks = {&view, 1}, .then = ReplyPart::Then::pause});
    }
    other.join();
    exchange.send({.then = ReplyPart::Then::end});
    return Outcome{};
  });
  start_worker(0);
  FakeExchange exchange;
  EXPECT_EQ(run("/apps/log", exchange).kind, Outcome::Kind::complete);
  EXPECT_EQ(exchange.body().size(), 5000u * kRecords);
  EXPECT_EQ(exchange.recorder().records().size(), std::size_t{kRecords});
}

TEST_F(RemoteExchange, ConnectionIsFreeWhileTheApplicationCleansUp) {
  std::latch cleaned(1);
  applications_.add("/apps/slow", [&](const gateway::Target&, gateway::Exchange& exchange) {
    const Outcome outcome = reply(exchange, "ok");
    cleaned.wait();
    return outcome;
  });
  applications_.add("/apps/echo", echo());
  start_worker(0, 2);
  FakeExchange slow, next({.body = "next"});
  EXPECT_EQ(run("/apps/slow", slow).kind, Outcome::Kind::complete);
  EXPECT_EQ(run("/apps/echo", next).kind, Outcome::Kind::complete);
  EXPECT_EQ(next.body(), "next");
  cleaned.count_down();
  // The application uses what this function owns.
  EXPECT_TRUE(wait_until([&] { return pool(0).requests_running().empty(); }));
}

TEST_F(RemoteExchange, ApplicationLearnsThatTheClientHasGone) {
  std::atomic<bool> told = false;
  applications_.add("/apps/endless", [&](const gateway::Target&, gateway::Exchange& exchange) {
    const gateway::ResponseHead head;
    const std::string_view block = "block";
    exchange.send({.head = &head, .then = ReplyPart::Then::pause});
    while (exchange.send({.blocks = {&block, 1}, .then = ReplyPart::Then::pause}) ==
           SendResult::sent) {
    }
    told = true;
    return Outcome{};
  });
  start_worker(0);
  FakeExchange exchange({.client_gone_after_parts = 2});
  EXPECT_EQ(run("/apps/endless", exchange).kind, Outcome::Kind::complete);
  EXPECT_TRUE(wait_until([&] { return told.load(); }));
}

TEST_F(RemoteExchange, RepliesOfConcurrentRequestsAreNotMixed) {
  constexpr int kClients = 200;
  applications_.add("/apps/echo", echo());
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) start_worker(slot);
  settings_.group.queue = kClients;
  engine();
  std::atomic<int> right = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&, i] {
      const std::string body = fmt::format("{}:", i) + pattern(static_cast<std::size_t>(i) * 700);
      FakeExchange exchange({.body = body});
      if (run("/apps/echo", exchange).kind == Outcome::Kind::complete && exchange.body() == body) {
        ++right;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(right, kClients);
  EXPECT_EQ(scoreboard_->waiting(), 0u);
}

}  // namespace
}  // namespace pyhost::test
