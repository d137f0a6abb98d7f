// Servers with `ErrorLog syslog`. The tests are the machine's syslog while they run, where it has
// none.

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "harness/httpd.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kSyslogSocket[] = "/dev/log";

class Syslog : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0 || std::filesystem::exists(kSyslogSocket)) {
      GTEST_SKIP() << "another syslog owns " << kSyslogSocket;
    }
  }
  void TearDown() override {
    if (socket_.valid()) std::filesystem::remove(kSyslogSocket);
  }

  void listen() {
    socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    ASSERT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    std::filesystem::permissions(kSyslogSocket, std::filesystem::perms(0666));
  }
  const std::string& messages() {
    std::array<char, 16384> message{};
    ssize_t got = 0;
    while ((got = ::recv(socket_.get(), message.data(), message.size(), 0)) > 0) {
      messages_.append(message.data(), static_cast<std::size_t>(got)) += '\n';
    }
    return messages_;
  }
  bool has_come(std::string_view text) {
    return wait_until([&] { return messages().find(text) != std::string::npos; });
  }

  base::UniqueFd socket_;
  std::string messages_;
};

std::string host(const std::string& log) {
  return "<VirtualHost *:*>\n"
         "  ServerName localhost\n"
         "  ErrorLog " +
         log +
         "\n"
         "  WSGIDaemonProcess g\n"
         "  WSGIScriptAlias / ${APPS}/talks.wsgi process-group=g\n"
         "</VirtualHost>\n";
}

TEST_F(Syslog, GetsWhatWorkersAndTheSupervisorSay) {
  listen();
  Httpd httpd(host("\"syslog:local3:shop \\\"one\\\"\""));
  EXPECT_EQ(httpd.get("/").body, "b''");
  EXPECT_TRUE(has_come("raw words on descriptor 1"));
  EXPECT_TRUE(has_come("words of a child"));
  EXPECT_TRUE(has_come("PH0404"));
  // What httpd's own records of requests have too: the facility, and the tag.
  constexpr int kLocal3Notice = (19 << 3) | 5;
  EXPECT_THAT(messages(), AllOf(HasSubstr("<" + std::to_string(kLocal3Notice) + ">"),
                                HasSubstr("shop \"one\": raw words on descriptor 2")));
  EXPECT_THAT(httpd.log(), AllOf(Not(HasSubstr("raw words")), Not(HasSubstr("PH0361"))));
  // The logger stays.
  httpd.graceful(OldChildren::left);
  messages_.clear();
  EXPECT_EQ(httpd.get("/").body, "b''");
  EXPECT_TRUE(has_come("raw words on descriptor 1"));
  EXPECT_TRUE(wait_until([&] { return httpd.running("pyhost-worker").size() == 1; }));
  kill(httpd.running("pyhost-worker").at(0), SIGKILL);
  EXPECT_TRUE(has_come("signal 9")) << messages_;
}

TEST_F(Syslog, ThatIsMissingIsSaidAndTheMainLogUsed) {
  Httpd httpd(host("syslog"));
  for (const char* text : {"PH0361", "raw words", "words of a child"}) httpd.expect_log(text);
  EXPECT_EQ(httpd.get("/").body, "b''");
  EXPECT_THAT(httpd.log(), AllOf(HasSubstr("raw words on descriptor 1"),
                                 HasSubstr("goes to the main server's log, because ErrorLog syslog "
                                           "needs /usr/bin/logger and somebody who listens at "
                                           "/dev/log")));
}

}  // namespace
}  // namespace pyhost::test
