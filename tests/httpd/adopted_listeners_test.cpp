// A httpd that gets its listening sockets from whoever starts it.

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "harness/httpd.h"
#include "httpd/text.h"
#include "httpd/unix_client.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::test {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::Not;

constexpr char kConfig[] =
    "WSGIDaemonProcess g threads=4\n"
    "WSGIScriptAlias /environ ${APPS}/environ.wsgi\n"
    "WSGIScriptAlias /process ${APPS}/process.wsgi process-group=g\n"
    "WSGIScriptAlias /group ${APPS}/environ.wsgi process-group=g\n";

base::UniqueFd make_socket(int family, int type = SOCK_STREAM) {
  return base::UniqueFd(socket(family, type, 0));
}

// Bound to a port that nobody else has.
base::UniqueFd bind_tcp(int& port, int type = SOCK_STREAM) {
  auto fd = make_socket(AF_INET, type);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  EXPECT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
  EXPECT_EQ(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
  port = ntohs(address.sin_port);
  return fd;
}

base::UniqueFd listen_at_unix(const std::string& path) {
  auto fd = make_socket(AF_UNIX);
  const sockaddr_un address = unix_address(path);
  EXPECT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(listen(fd.get(), 10), 0);
  chmod(path.c_str(), 0666);
  return fd;
}

Options started_with(const std::string& listeners) {
  return {.environment = {{"PYHOST_LISTENERS", listeners}}};
}

std::string inode_of(int fd) {
  struct stat file {};
  fstat(fd, &file);
  return fmt::format("socket:[{}]", file.st_ino);
}

TEST(AdoptedListener, ServesOverRestarts) {
  int port = 0;
  const auto fd = bind_tcp(port);
  ASSERT_EQ(listen(fd.get(), 100), 0);
  Httpd httpd(fmt::format("Listen 127.0.0.1:{}\n", port) + kConfig,
              started_with(fmt::format("{}=127.0.0.1:{}", fd.get(), port)));
  const auto served = [port] { return HttpClient({.port = port}).get("/environ").status; };
  EXPECT_EQ(served(), 200);
  httpd.graceful();
  EXPECT_EQ(served(), 200);
  httpd.restart();
  EXPECT_EQ(served(), 200);
  EXPECT_EQ(httpd.get("/environ").status, 200) << "httpd's own socket";
}

TEST(AdoptedListener, IsNothingThatProcessesOfHttpdInherit) {
  int port = 0;
  const auto fd = bind_tcp(port);
  ASSERT_EQ(listen(fd.get(), 100), 0);
  const Httpd httpd(fmt::format("Listen 127.0.0.1:{}\n", port) + kConfig,
                    started_with(fmt::format("{}=127.0.0.1:{}", fd.get(), port)));
  const Response portrait = httpd.get("/process");
  EXPECT_EQ(portrait.status, 200);
  EXPECT_THAT(portrait.body,
              AllOf(Not(HasSubstr("PYHOST_LISTENERS")), Not(HasSubstr(inode_of(fd.get())))));
}

TEST(AdoptedListener, MayBeAUnixSocket) {
  const TempDir folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
  const std::string path = folder.path() + "/http";
  const auto fd = listen_at_unix(path);
  Httpd httpd(std::string("Listen 127.0.0.1:1\n"
                          "CustomLog ${ROOT}/access.log \"%h %a %l %u \\\"%r\\\" %>s\"\n") +
                  kConfig,
              started_with(fmt::format("{}=127.0.0.1:1", fd.get())));
  for (const char* url : {"/environ", "/group"}) {
    EXPECT_THAT(ask_unix(path, url),
                AllOf(HasSubstr("HTTP/1.1 200 OK\r\n"), HasSubstr("\nREMOTE_ADDR=unix:\n"),
                      HasSubstr("\nSERVER_NAME=shop.test\n")))
        << url;
  }
  httpd.graceful();
  EXPECT_THAT(ask_unix(path, "/environ"), HasSubstr("200 OK"));
  EXPECT_TRUE(wait_until([&] {
    return count(read_file(httpd.root() + "/access.log"), "unix: unix: - - \"GET /") == 3;
  })) << read_file(httpd.root() + "/access.log");
}

TEST(AdoptedListener, OfAUnixSocketHasManyClients) {
  const TempDir folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
  const std::string path = folder.path() + "/http";
  const auto fd = listen_at_unix(path);
  const Httpd httpd(std::string("Listen 127.0.0.1:1\n") + kConfig,
                    started_with(fmt::format("{}=127.0.0.1:1", fd.get())));
  std::vector<std::string> replies;
  for (int i = 0; i < 50; ++i) replies.push_back(ask_unix(path, "/group"));
  EXPECT_THAT(replies, Each(HasSubstr("REMOTE_ADDR=unix:\n")));
}

// An address is no list's, so nothing is granted by one.
TEST(AdoptedListener, OfAUnixSocketIsNoAddressOfARule) {
  const TempDir folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
  const std::string path = folder.path() + "/http";
  const auto fd = listen_at_unix(path);
  Httpd httpd(std::string("Listen 127.0.0.1:1\n"
                          "<Location /environ>\n  Require ip 127.0.0.1\n  Require local\n"
                          "</Location>\n") +
                  kConfig,
              started_with(fmt::format("{}=127.0.0.1:1", fd.get())));
  httpd.expect_log("AH01630: client denied by server configuration");
  EXPECT_EQ(httpd.get("/environ").status, 200);
  EXPECT_THAT(ask_unix(path, "/environ"), HasSubstr("HTTP/1.1 403 "));
  EXPECT_THAT(httpd.log(), HasSubstr("[client unix:"));
}

TEST(AdoptedListener, ThatCannotBeOneKeepsHttpdFromStarting) {
  int port = 0, deaf_port = 0, other_port = 0;
  const auto packets = bind_tcp(port, SOCK_DGRAM), deaf = bind_tcp(deaf_port);
  const auto listening = bind_tcp(other_port);
  ASSERT_EQ(listen(listening.get(), 1), 0);
  const std::vector<std::pair<std::string, const char*>> mistakes{
      {fmt::format("{}=127.0.0.1:1", packets.get()), "no stream socket that somebody listens with"},
      {fmt::format("{}=127.0.0.1:1", deaf.get()), "no stream socket that somebody listens with"},
      {fmt::format("{}=127.0.0.1:2", listening.get()), "no Listen line has this address"},
      {"999=127.0.0.1:1", "Bad file descriptor"},
      {"four", "'four' is not a descriptor and an address"}};
  for (const auto& [listeners, why] : mistakes) {
    const ConfigCheck check =
        start_in_vain("Listen 127.0.0.1:1\nWSGICallableObject app\n", started_with(listeners));
    EXPECT_EQ(check.exit_code, 1) << listeners;
    EXPECT_THAT(check.output, AllOf(HasSubstr("PH0620: PYHOST_LISTENERS: "), HasSubstr(why)));
  }
}

}  // namespace
}  // namespace pyhost::test
