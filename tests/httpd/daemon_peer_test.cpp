// Who else can reach a worker's socket, and what that gets them.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <vector>

#include "harness/httpd.h"
#include "httpd/text.h"
#include "pyhost/base/unique_fd.h"
#include "wire/frame.h"
#include "wire/messages.h"

namespace pyhost::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

constexpr char kConfig[] =
    "WSGIDaemonProcess g threads=2\n"
    "WSGIScriptAlias / ${APPS}/perils.wsgi process-group=g\n";

std::string socket_of(const Httpd& httpd) {
  for (const auto& entry : fs::directory_iterator(httpd.root())) {
    if (entry.path().extension() == ".sock") return entry.path();
  }
  return "";
}

// What became of a connection to a worker.
struct Visit {
  int error = -1;      // of connect(), 0 for none
  std::string answer;  // all that was sent before the worker closed, or fell silent
};

// What is sent, and a text that the answer is to have; without one, all that comes counts.
struct Conversation {
  std::string bytes;
  std::string awaited;
};

// Runs in a process of its own, for good.
[[noreturn]] void visit_and_leave(const std::string& path, const passwd& user,
                                  const Conversation& conversation, int report) {
  const auto& [bytes, awaited] = conversation;
  const std::chrono::milliseconds silence = awaited.empty() ? std::chrono::seconds(2) : kPatience;
  Visit visit;
  if (::setgroups(0, nullptr) != 0 || ::setgid(user.pw_gid) != 0 || ::setuid(user.pw_uid) != 0) {
    ::_exit(1);
  }
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int connection = ::socket(AF_UNIX, SOCK_STREAM, 0);
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  visit.error = ::connect(connection, name, sizeof address) == 0 ? 0 : errno;
  static_cast<void>(::write(report, &visit.error, sizeof visit.error));
  if (visit.error != 0) ::_exit(0);
  static_cast<void>(::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  pollfd readable{.fd = connection, .events = POLLIN, .revents = 0};
  char buffer[4096];
  std::string answer;
  while ((awaited.empty() || answer.find(awaited) == answer.npos) &&
         ::poll(&readable, 1, static_cast<int>(silence.count())) == 1) {
    const ssize_t got = ::read(connection, buffer, sizeof buffer);
    if (got <= 0) break;
    answer.append(buffer, static_cast<std::size_t>(got));
    static_cast<void>(::write(report, buffer, static_cast<std::size_t>(got)));
  }
  ::_exit(0);
}

Visit visit(const std::string& path, const char* user, const Conversation& conversation) {
  const passwd* entry = ::getpwnam(user);
  int ends[2];
  if (entry == nullptr || ::pipe2(ends, O_CLOEXEC) != 0) return {};
  const base::UniqueFd report(ends[0]);
  base::UniqueFd writing(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) visit_and_leave(path, *entry, conversation, writing.get());
  writing.reset();
  Visit visit;
  static_cast<void>(::read(report.get(), &visit.error, sizeof visit.error));
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(report.get(), buffer, sizeof buffer)) > 0;) {
    visit.answer.append(buffer, static_cast<std::size_t>(got));
  }
  ::waitpid(child, nullptr, 0);
  return visit;
}

std::string request_for(const std::string& script) {
  using enum gateway::EnvironKey;
  const gateway::EnvironEntry environ[] = {{other, "REQUEST_METHOD", "GET"},
                                           {other, "PATH_INFO", "/"},
                                           {other, "SERVER_PROTOCOL", "HTTP/1.1"}};
  const gateway::Target target{
      .script = script, .callable = "application", .reloading = gateway::Reloading::off};
  std::string bytes;
  EXPECT_TRUE(wire::encode_request(
      {.target = target, .head = {.environ = environ}, .body = {}, .body_follows = false}, bytes));
  return bytes;
}

class PeerOfAWorker : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can act as several users";
  }
};

TEST_F(PeerOfAWorker, OfAnotherUserDoesNotReachTheSocket) {
  const Httpd httpd(kConfig);
  ASSERT_EQ(httpd.get("/").status, 200);
  EXPECT_EQ(visit(socket_of(httpd), "games", {}).error, EACCES);
}

TEST_F(PeerOfAWorker, OfAnotherUserIsServedNothing) {
  Httpd httpd(kConfig);
  httpd.expect_log("PH0474");
  ASSERT_EQ(httpd.get("/").status, 200);
  const std::string path = socket_of(httpd);
  ASSERT_EQ(::chmod(path.c_str(), 0777), 0);
  for (const char* user : {"games", "root"}) {
    const Visit seen = visit(path, user, {request_for(httpd.app("perils.wsgi")), ""});
    EXPECT_EQ(seen.error, 0) << user;
    EXPECT_EQ(seen.answer, "") << user;
    EXPECT_EQ(httpd.get("/").body, "well");
  }
  EXPECT_THAT(httpd.log(), HasSubstr("connected to process group 'g'; only user"));
}

// As an application of a group without user= is.
TEST_F(PeerOfAWorker, OfHttpdsUserIsServedNothingEither) {
  Httpd httpd(kConfig);
  httpd.expect_log("PH0486");
  ASSERT_EQ(httpd.get("/").status, 200);
  const std::string request = request_for(httpd.app("perils.wsgi"));
  std::string guess;
  wire::encode_greeting(*gateway::GroupSecret::make(), guess);
  for (const std::string& bytes : {request, guess + request}) {
    const Visit seen = visit(socket_of(httpd), kServerUser, {bytes, ""});
    EXPECT_EQ(seen.error, 0);
    EXPECT_THAT(seen.answer, Not(HasSubstr("well")));
    EXPECT_EQ(httpd.get("/").body, "well");
  }
  EXPECT_THAT(httpd.log(), HasSubstr("connected to process group 'g' and did not greet"));
}

TEST_F(PeerOfAWorker, ThatTalksNonsenseConfusesNobody) {
  Httpd httpd(kConfig);
  httpd.expect_log("PH0455");
  httpd.expect_log("PH0486");
  ASSERT_EQ(httpd.get("/").status, 200);
  const std::string good = request_for(httpd.app("perils.wsgi"));
  const auto header = [](wire::FrameType type, std::uint32_t bytes) {
    const auto encoded = wire::encode_header({type, bytes});
    return std::string(encoded.begin(), encoded.end());
  };
  const std::string nonsense[] = {
      "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
      std::string(4096, '\xff'),
      header(wire::FrameType::request, 0xffffffff),
      header(wire::FrameType::request, 16) + std::string(16, '\xff'),
      header(wire::FrameType::end, 0),
      good.substr(0, good.size() / 2),
      good + std::string(64, '\xff'),
      header(wire::FrameType::abort, 0),
      "",
  };
  const std::string path = socket_of(httpd);
  for (const std::string& bytes : nonsense) {
    EXPECT_EQ(visit(path, kServerUser, {bytes, ""}).error, 0);
    EXPECT_EQ(httpd.get("/").body, "well");
  }
  EXPECT_EQ(count(httpd.log(), "PH0404"), 1) << "the worker was replaced";
}

}  // namespace
}  // namespace pyhost::test
