#include "os/service_manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>

#include "harness/temp_dir.h"

namespace pyhost {
namespace {

using os::Notification;
using os::ServiceManager;
using os::to_text;
using std::chrono::microseconds;
using State = Notification::State;

TEST(Notification, IsTheLinesThatSystemdExpects) {
  EXPECT_EQ(to_text({.state = State::ready, .status = "serving shop"}),
            "READY=1\nSTATUS=serving shop\n");
  EXPECT_EQ(to_text({.state = State::reloading, .reloading_since = microseconds(7'000'001)}),
            "RELOADING=1\nMONOTONIC_USEC=7000001\n");
  EXPECT_EQ(to_text({.state = State::stopping, .extended_timeout = microseconds(2'500'000)}),
            "STOPPING=1\nEXTEND_TIMEOUT_USEC=2500000\n");
  EXPECT_EQ(to_text({.main_pid = 4711}), "MAINPID=4711\n");
  EXPECT_EQ(to_text({}), "");
}

TEST(Notification, HasAStatusOfOneLine) {
  EXPECT_EQ(to_text({.status = "the reload failed:\r\nREADY=1"}),
            "STATUS=the reload failed:  READY=1\n");
}

TEST(Notification, SaysTheMomentOfTheMonotonicClock) {
  const auto before = os::monotonic_now();
  EXPECT_GT(before.count(), 0);
  EXPECT_GE(os::monotonic_now(), before);
}

// What systemd is to the process: a datagram socket whose address is in the environment.
class Manager {
 public:
  // "@name" is one of the abstract namespace.
  explicit Manager(const std::string& name)
      : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, name.size());
    const bool is_abstract = name.front() == '@';
    if (is_abstract) address.sun_path[0] = '\0';
    const auto length = offsetof(sockaddr_un, sun_path) + name.size() + (is_abstract ? 0 : 1);
    EXPECT_EQ(bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address),
                   static_cast<socklen_t>(length)),
              0);
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }

  std::string heard() const {
    char text[500];
    const ssize_t got = recv(fd_.get(), text, sizeof text, 0);
    return got < 0 ? "" : std::string(text, static_cast<std::size_t>(got));
  }

 private:
  base::UniqueFd fd_;
};

TEST(ServiceManager, IsToldAtAPathAndInTheAbstractNamespace) {
  const test::TempDir folder;
  for (const std::string& name :
       {folder.path() + "/notify", "@pyhost-test-" + std::to_string(getpid())}) {
    const Manager manager(name);
    const auto found = ServiceManager::take_from_environment();
    ASSERT_TRUE(found && *found) << name;
    EXPECT_EQ(getenv("NOTIFY_SOCKET"), nullptr) << "no child is to speak for this process";
    EXPECT_TRUE((*found)->notify({.state = State::ready}));
    EXPECT_EQ(manager.heard(), "READY=1\n");
  }
}

TEST(ServiceManager, IsNotThereWithoutAnAddress) {
  unsetenv("NOTIFY_SOCKET");
  auto found = ServiceManager::take_from_environment();
  EXPECT_TRUE(found && !*found);
  setenv("NOTIFY_SOCKET", "", 1);
  found = ServiceManager::take_from_environment();
  EXPECT_TRUE(found && !*found);
}

TEST(ServiceManager, IsRefusedAtWhatIsNoAddress) {
  for (const std::string& name : {std::string("run/notify"), "/" + std::string(200, 'x')}) {
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
    const auto found = ServiceManager::take_from_environment();
    ASSERT_FALSE(found);
    EXPECT_THAT(found.error().sentence, testing::HasSubstr("NOTIFY_SOCKET=" + name));
    EXPECT_EQ(getenv("NOTIFY_SOCKET"), nullptr);
  }
}

TEST(ServiceManager, ThatHasGoneIsAFailureAndNoSignal) {
  const test::TempDir folder;
  { const Manager manager(folder.path() + "/notify"); }
  const auto found = ServiceManager::take_from_environment();
  ASSERT_TRUE(found && *found);
  EXPECT_FALSE((*found)->notify({.state = State::stopping}));
}

}  // namespace
}  // namespace pyhost
