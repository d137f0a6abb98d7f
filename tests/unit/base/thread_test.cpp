#include "base/thread.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include <array>
#include <utility>

namespace pyhost::base {
namespace {

// Runs `body` to its end in a thread of that name.
template <class F>
void run_in_thread(std::string name, F body) {
  auto thread = NamedThread::start(std::move(name), kPythonStackBytes, body);
  ASSERT_TRUE(thread.has_value()) << thread.error().sentence;
  thread->join();
}

TEST(NamedThread, HasTheStackThatWasAskedFor) {
  std::size_t bytes = 0;
  run_in_thread("stack", [&] {
    pthread_attr_t attributes;
    ASSERT_EQ(pthread_getattr_np(pthread_self(), &attributes), 0);
    void* bottom = nullptr;
    pthread_attr_getstack(&attributes, &bottom, &bytes);
    pthread_attr_destroy(&attributes);
  });
  EXPECT_GE(bytes, kPythonStackBytes);
}

TEST(NamedThread, BlocksEverySignal) {
  sigset_t mask;
  sigemptyset(&mask);
  run_in_thread("signals", [&] { pthread_sigmask(SIG_SETMASK, nullptr, &mask); });
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1}) {
    EXPECT_EQ(sigismember(&mask, number), 1) << number;
  }
}

TEST(NamedThread, LeavesTheMaskOfItsStarterAlone) {
  sigset_t before, after;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  run_in_thread("mask", [] {});
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  for (int number = 1; number < 32; ++number) {
    EXPECT_EQ(sigismember(&before, number), sigismember(&after, number)) << number;
  }
}

TEST(NamedThread, CutsItsNameAtTheKernelsLimit) {
  std::array<char, 32> name{};
  run_in_thread("a-name-that-is-too-long",
                [&] { pthread_getname_np(pthread_self(), name.data(), name.size()); });
  EXPECT_STREQ(name.data(), "a-name-that-is-");
}

TEST(NamedThread, SaysWhenTheSystemRefuses) {
  const auto thread = NamedThread::start("greedy", std::size_t{1} << 62, [] {});
  ASSERT_FALSE(thread.has_value());
  EXPECT_EQ(thread.error().sentence.find("thread greedy could not be started: "), 0u);
}

TEST(NamedThread, MovesItsOwnership) {
  auto started = NamedThread::start("moved", kPythonStackBytes, [] {});
  ASSERT_TRUE(started.has_value());
  NamedThread thread = *std::move(started);
  EXPECT_TRUE(thread.joinable());
  NamedThread other = std::move(thread);
  EXPECT_FALSE(thread.joinable());
  other.join();
  EXPECT_FALSE(other.joinable());
}

}  // namespace
}  // namespace pyhost::base
