#include "apache/websocket/socket_places.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

namespace pyhost::apache {
namespace {

TEST(SocketPlaces, LeaveHalfOfAChildToRequests) {
  struct Case {
    ChildCapacity child;
    unsigned relayed;
    unsigned with_threads;
  };
  for (const auto& [child, relayed, with_threads] : {
           Case{{.threads = 25, .async_factor = 2}, 37, 12},  // what httpd has by itself
           Case{{.threads = 25, .async_factor = 239}, 3000, 12},
           Case{{.threads = 64, .async_factor = 0}, 32, 32},
           Case{{.threads = 1, .async_factor = 0}, 0, 1},  // prefork
       }) {
    EXPECT_EQ(sockets_max(HeldBy::relay, child), relayed) << child.threads;
    EXPECT_EQ(sockets_max(HeldBy::thread, child), with_threads) << child.threads;
  }
}

// A child of the event MPM takes no connections beyond threads + idle threads x factor.
TEST(SocketPlaces, LetHalfOfTheThreadsBeBusyBesideThem) {
  for (const unsigned threads : {5u, 25u, 64u}) {
    for (const unsigned factor : {1u, 2u, 20u, 200u}) {
      const unsigned sockets =
          sockets_max(HeldBy::relay, {.threads = threads, .async_factor = factor});
      const unsigned busy = threads / 2;
      EXPECT_LE(sockets + busy, threads + (threads - busy) * factor) << threads << ' ' << factor;
    }
  }
}

TEST(SocketPlaces, AreRefusedWhenAllAreTakenAndComeBack) {
  SocketPlaces places({.threads = 4, .async_factor = 1});
  std::vector<SocketPlace> taken;
  for (int i = 0; i < 4; ++i) taken.push_back(*places.take(HeldBy::relay));
  EXPECT_FALSE(places.take(HeldBy::relay));
  EXPECT_FALSE(places.take(HeldBy::relay));
  EXPECT_TRUE(places.take(HeldBy::thread)) << "which are counted apart";
  taken.pop_back();
  EXPECT_TRUE(places.take(HeldBy::relay));
}

TEST(SocketPlaces, AreSharedByChildrenWithoutThreads) {
  auto shared = SharedPlaces::make(2);
  ASSERT_TRUE(shared);
  SocketPlaces one({.threads = 1}, &*shared);
  SocketPlaces other({.threads = 1}, &*shared);
  SocketPlaces third({.threads = 1}, &*shared);
  auto first = one.take(HeldBy::thread);
  EXPECT_TRUE(first);
  EXPECT_FALSE(one.take(HeldBy::thread));
  const auto second = other.take(HeldBy::thread);
  EXPECT_TRUE(second);
  EXPECT_FALSE(third.take(HeldBy::thread));
  first.reset();
  EXPECT_TRUE(third.take(HeldBy::thread));
}

TEST(SocketPlaces, OfAChildThatWasKilledAreFree) {
  auto shared = SharedPlaces::make(1);
  ASSERT_TRUE(shared);
  const pid_t child = ::fork();
  if (child == 0) ::_exit(shared->take() != nullptr ? 0 : 1);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_NE(shared->take(), nullptr);
}

TEST(SocketPlaces, OfHttp2AreHalfOfItsOwnThreads) {
  SocketPlaces places({.threads = 64, .h2_threads = 4});
  const auto one = places.take(HeldBy::stream), other = places.take(HeldBy::stream);
  EXPECT_TRUE(one && other);
  EXPECT_FALSE(places.take(HeldBy::stream));
  EXPECT_TRUE(places.take(HeldBy::thread));
  EXPECT_EQ(sockets_max(HeldBy::stream, {.threads = 64, .h2_threads = 1}), 1u);
}

TEST(SocketPlaces, NameWhatToRaise) {
  const SocketPlaces places({.threads = 25, .async_factor = 2, .h2_threads = 37});
  EXPECT_NE(places.why_full(HeldBy::stream).find("18 threads of mod_http2"), std::string::npos);
  EXPECT_NE(places.why_full(HeldBy::stream).find("raise H2MaxWorkers"), std::string::npos);
  EXPECT_NE(places.why_full(HeldBy::relay).find("AsyncRequestWorkerFactor 2"), std::string::npos);
  EXPECT_NE(places.why_full(HeldBy::thread).find("12 of the 25 threads"), std::string::npos);
}

}  // namespace
}  // namespace pyhost::apache
