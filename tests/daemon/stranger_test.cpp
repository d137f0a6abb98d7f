// Processes that would pass for a worker, or for httpd.
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>
#include <thread>

#include "daemon/group_fixture.h"
#include "pyhost/gateway/build_id.h"
#include "wire/messages.h"

namespace pyhost::test {
namespace {

using base::Message;
using gateway::Outcome;
using ::testing::AllOf;
using ::testing::HasSubstr;

class Stranger : public GroupTest {
 protected:
  void SetUp() override {
    applications_.add("/apps/hello", [](const gateway::Target&, gateway::Exchange& exchange) {
      return reply(exchange, "hello");
    });
  }
};

std::string greeting(const gateway::GroupSecret& secret) {
  std::string frame;
  wire::encode_greeting(secret, frame);
  return frame;
}

void send(wire::Connection& connection, std::string_view bytes) {
  wire::FrameBatch batch;
  batch.encoded().append(bytes);
  EXPECT_EQ(connection.write(batch, kPatience), wire::Io::done);
}

// Nothing at the end.
std::optional<wire::FrameType> next_frame(wire::Connection& connection) {
  wire::Frame frame;
  if (connection.read_frame(frame, kPatience) != wire::Io::done) return std::nullopt;
  return frame.type;
}

// Whoever runs as httpd's user can connect.
TEST_F(Stranger, ThatDoesNotKnowTheSecretHasNothingRun) {
  pool_settings_.secret = settings_.secret = *gateway::GroupSecret::make();
  start_worker(0);
  std::string request;
  ASSERT_TRUE(wire::encode_request({.target = {.script = "/apps/hello"}}, request));
  const std::string beginnings[] = {"", greeting({}), greeting(*gateway::GroupSecret::make()),
                                    request + greeting(settings_.secret)};
  for (const std::string& beginning : beginnings) {
    wire::Connection raw = connect_to(0);
    send(raw, beginning + request);
    EXPECT_EQ(next_frame(raw), wire::FrameType::hello);
    EXPECT_EQ(next_frame(raw), std::nullopt);
  }
  EXPECT_EQ(applications_.runs(), 0u);
  EXPECT_EQ(worker_log_.records().size(), std::size(beginnings));
  EXPECT_THAT(worker_log_.text_of(Message::greeting_refused),
              HasSubstr("process " + std::to_string(::getpid()) + " of user"));
  wire::Connection raw = connect_to(0);
  send(raw, greeting(settings_.secret) + request);
  EXPECT_EQ(next_frame(raw), wire::FrameType::hello);
  EXPECT_EQ(next_frame(raw), wire::FrameType::head);
  FakeExchange exchange;
  EXPECT_EQ(run("/apps/hello", exchange).kind, Outcome::Kind::complete);
}

// An application may keep a copy of the socket in a process that it forks off.
class ForkedOff {
 public:
  enum class Claim { to_be_the_worker, to_be_itself, to_be_of_another_build };

  // Accepts one connection and says what it claims to be.
  ForkedOff(int listening, Claim claim) : pid_(::fork()) {
    if (pid_ != 0) return;
    const int connection = ::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
    std::string hello;
    const pid_t named = claim == Claim::to_be_the_worker ? ::getppid() : ::getpid();
    wire::encode_hello({.pid = static_cast<std::uint32_t>(named), .generation = 1}, hello);
    if (claim == Claim::to_be_of_another_build) ++hello[hello.find(gateway::kBuildId)];
    static_cast<void>(::send(connection, hello.data(), hello.size(), MSG_NOSIGNAL));
    char byte = 0;
    ::_exit(::recv(connection, &byte, 1, 0) == 1 ? 1 : 0);
  }
  ForkedOff(const ForkedOff&) = delete;
  ForkedOff& operator=(const ForkedOff&) = delete;

  pid_t pid() const noexcept { return pid_; }
  // Whether it was sent anything. Waits for its end.
  bool was_sent_anything() const {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
  }

 private:
  const pid_t pid_;
};

TEST_F(Stranger, ThatAcceptsInTheWorkersPlaceHearsNothing) {
  using Claim = ForkedOff::Claim;
  for (const Claim claim :
       {Claim::to_be_the_worker, Claim::to_be_itself, Claim::to_be_of_another_build}) {
    const auto slot = static_cast<std::uint32_t>(claim);
    base::UniqueFd listening = declare_worker(slot);
    const ForkedOff other(listening.get(), claim);
    FakeExchange exchange;
    std::thread client([&] { run("/apps/hello", exchange); });
    EXPECT_FALSE(other.was_sent_anything());
    serve_slot(slot, std::move(listening));
    client.join();
    EXPECT_EQ(exchange.body(), "hello");
    EXPECT_THAT(exchange.recorder().text_of(Message::impostor_met),
                AllOf(HasSubstr("process " + std::to_string(other.pid()) + " of user"),
                      HasSubstr("process group 'blog', slot")));
    scoreboard_->set_state(slot, scoreboard::SlotState::dead);
  }
}

}  // namespace
}  // namespace pyhost::test
