#include "control/worker_orders.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace pyhost::gateway {
namespace {

using Kind = control::WorkerOrder::Kind;

class WorkerOrders : public ::testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    supervisor_.reset(ends[0]);
    worker_.reset(ends[1]);
  }

  base::UniqueFd supervisor_, worker_;
};

TEST_F(WorkerOrders, ArriveOneByOneAsTheyWereSent) {
  EXPECT_FALSE(control::take_order(worker_.get()));
  const base::UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(control::send_order(supervisor_.get(), Kind::serve));
  ASSERT_TRUE(control::send_order(supervisor_.get(), Kind::keep, "which", file.get()));
  ASSERT_TRUE(control::send_order(supervisor_.get(), Kind::log, "", file.get()));
  const auto serve = control::take_order(worker_.get());
  ASSERT_TRUE(serve);
  EXPECT_EQ(serve->kind, Kind::serve);
  EXPECT_EQ(serve->text, "");
  EXPECT_FALSE(serve->descriptor.valid());
  const auto keep = control::take_order(worker_.get());
  ASSERT_TRUE(keep);
  EXPECT_EQ(keep->kind, Kind::keep);
  EXPECT_EQ(keep->text, "which");
  EXPECT_TRUE(keep->descriptor.valid());
  EXPECT_NE(::fcntl(keep->descriptor.get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_EQ(control::take_order(worker_.get())->kind, Kind::log);
  EXPECT_FALSE(control::take_order(worker_.get()));
}

TEST_F(WorkerOrders, AreNotWaitedFor) {
  base::Result<> sent;
  while (sent) {
    sent = control::send_order(supervisor_.get(), Kind::keep,
                               std::string(control::kWorkerOrderTextMax, 'x'));
  }
  EXPECT_NE(sent.error().sentence.find("a worker cannot be told what to do"), std::string::npos);
  // What has arrived is whole.
  while (const auto order = control::take_order(worker_.get())) {
    EXPECT_EQ(order->text.size(), control::kWorkerOrderTextMax);
  }
}

TEST_F(WorkerOrders, HaveABoundedText) {
  EXPECT_FALSE(control::send_order(supervisor_.get(), Kind::keep,
                                   std::string(control::kWorkerOrderTextMax + 1, 'x')));
  EXPECT_FALSE(control::take_order(worker_.get()));
}

TEST(KeepOrder, IsReadAsItWasWritten) {
  const control::KeepOrder order{.slot = 4, .report = 1, .scripts = {1, 0xffff'ffff'ffff'ffff}};
  EXPECT_EQ(control::parse_keep_order(control::to_json(order)), order);
  for (const char* broken :
       {"", "[]", "{}", R"({"slot":1,"report":0,"scripts":["x"]})",
        R"({"slot":-1,"report":0,"scripts":[]})", R"({"slot":1,"report":0})"}) {
    EXPECT_FALSE(control::parse_keep_order(broken)) << broken;
  }
}

}  // namespace
}  // namespace pyhost::gateway
