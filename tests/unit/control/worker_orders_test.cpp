#include "control/worker_orders.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace pyhost::gateway {
namespace {

using Kind = WorkerOrder::Kind;

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
  EXPECT_FALSE(take_order(worker_.get()));
  const base::UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(send_order(supervisor_.get(), Kind::serve));
  ASSERT_TRUE(send_order(supervisor_.get(), Kind::keep, "which", file.get()));
  ASSERT_TRUE(send_order(supervisor_.get(), Kind::log, "", file.get()));
  const auto serve = take_order(worker_.get());
  ASSERT_TRUE(serve);
  EXPECT_EQ(serve->kind, Kind::serve);
  EXPECT_EQ(serve->text, "");
  EXPECT_FALSE(serve->descriptor.valid());
  const auto keep = take_order(worker_.get());
  ASSERT_TRUE(keep);
  EXPECT_EQ(keep->kind, Kind::keep);
  EXPECT_EQ(keep->text, "which");
  EXPECT_TRUE(keep->descriptor.valid());
  EXPECT_NE(::fcntl(keep->descriptor.get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_EQ(take_order(worker_.get())->kind, Kind::log);
  EXPECT_FALSE(take_order(worker_.get()));
}

TEST_F(WorkerOrders, AreNotWaitedFor) {
  base::Result<> sent;
  while (sent) {
    sent = send_order(supervisor_.get(), Kind::keep, std::string(kWorkerOrderTextMax, 'x'));
  }
  EXPECT_NE(sent.error().sentence.find("a worker cannot be told what to do"), std::string::npos);
  // What has arrived is whole.
  while (const auto order = take_order(worker_.get())) {
    EXPECT_EQ(order->text.size(), kWorkerOrderTextMax);
  }
}

TEST_F(WorkerOrders, HaveABoundedText) {
  EXPECT_FALSE(
      send_order(supervisor_.get(), Kind::keep, std::string(kWorkerOrderTextMax + 1, 'x')));
  EXPECT_FALSE(take_order(worker_.get()));
}

TEST(KeepOrder, IsReadAsItWasWritten) {
  const KeepOrder order{.slot = 4, .report = 1, .scripts = {1, 0xffff'ffff'ffff'ffff}};
  EXPECT_EQ(parse_keep_order(to_json(order)), order);
  for (const char* broken :
       {"", "[]", "{}", R"({"slot":1,"report":0,"scripts":["x"]})",
        R"({"slot":-1,"report":0,"scripts":[]})", R"({"slot":1,"report":0})"}) {
    EXPECT_FALSE(parse_keep_order(broken)) << broken;
  }
}

}  // namespace
}  // namespace pyhost::gateway
