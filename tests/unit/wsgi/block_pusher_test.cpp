#include "wsgi/block_pusher.h"

#include <gmock/gmock.h>

#include <atomic>
#include <functional>
#include <memory>
#include <semaphore>
#include <thread>
#include <vector>

#include "harness/wait.h"

namespace pyhost::wsgi {
namespace {

using test::wait_until;

// Its threads stay as long as the process.
BlockPusher& pusher() {
  static auto& pusher = *new BlockPusher;
  return pusher;
}

class Pushed : public BlockPusher::Source {
 public:
  explicit Pushed(std::function<bool()> push) : push_(std::move(push)) {}
  bool push() noexcept override { return push_(); }

 private:
  const std::function<bool()> push_;
};

TEST(BlockPusher, PushesWhatItWatchesOnce) {
  std::atomic<int> pushes = 0;
  Pushed source([&] {
    ++pushes;
    return true;
  });
  for (int i = 1; i <= 3; ++i) {
    EXPECT_TRUE(pusher().watch(source));
    EXPECT_TRUE(wait_until([&] { return pushes == i; }));
  }
  pusher().forget(source);
  EXPECT_EQ(pushes, 3);
}

TEST(BlockPusher, TriesAgainWhileSomebodyElseIsAtIt) {
  std::atomic<int> pushes = 0;
  Pushed source([&] { return ++pushes == 5; });
  EXPECT_TRUE(pusher().watch(source));
  EXPECT_TRUE(wait_until([&] { return pushes == 5; }));
  pusher().forget(source);
  EXPECT_EQ(pushes, 5);
}

TEST(BlockPusher, WaitsForNoSourceThatTakesLong) {
  constexpr int kSlow = 4;
  std::counting_semaphore<kSlow> end(0);
  std::atomic<int> slow = 0, quick = 0;
  std::vector<std::unique_ptr<Pushed>> sources;
  for (int i = 0; i < kSlow; ++i) {
    sources.push_back(std::make_unique<Pushed>([&] {
      ++slow;
      end.acquire();
      return true;
    }));
    EXPECT_TRUE(pusher().watch(*sources.back()));
  }
  EXPECT_TRUE(wait_until([&] { return slow == kSlow; }));
  Pushed other([&] {
    ++quick;
    return true;
  });
  EXPECT_TRUE(pusher().watch(other));
  EXPECT_TRUE(wait_until([&] { return quick == 1; }));
  end.release(kSlow);
  for (const auto& source : sources) pusher().forget(*source);
  pusher().forget(other);
}

TEST(BlockPusher, LetsGoOnlyOfWhatItDoesNotPush) {
  std::binary_semaphore end(0);
  std::atomic<bool> begun = false, ended = false;
  Pushed source([&] {
    begun = true;
    end.acquire();
    ended = true;
    return true;
  });
  EXPECT_TRUE(pusher().watch(source));
  EXPECT_TRUE(wait_until([&] { return begun.load(); }));
  // Once more, which comes to nothing.
  EXPECT_TRUE(pusher().watch(source));
  std::jthread other([&] { end.release(); });
  pusher().forget(source);
  EXPECT_TRUE(ended);
}

TEST(BlockPusher, ServesManyWhoComeAndGo) {
  constexpr int kThreads = 4, kRounds = 200;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([] {
      for (int round = 0; round < kRounds; ++round) {
        std::atomic<int> pushes = 0;
        Pushed source([&] {
          ++pushes;
          return true;
        });
        EXPECT_TRUE(pusher().watch(source));
        if (round % 3 == 0) {
          EXPECT_TRUE(wait_until([&] { return pushes == 1; }));
        }
        pusher().forget(source);
      }
    });
  }
}

}  // namespace
}  // namespace pyhost::wsgi
