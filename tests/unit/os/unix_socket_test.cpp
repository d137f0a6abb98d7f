#include "os/unix_socket.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>

#include "harness/temp_dir.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::os {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

base::UniqueFd make_socket() {
  return base::UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

bool exists(const std::string& path) {
  struct stat found {};
  return ::lstat(path.c_str(), &found) == 0;
}

TEST(UnixAddress, IsRefusedForAPathThatIsTooLong) {
  constexpr std::size_t kMost = sizeof(sockaddr_un::sun_path) - 1;
  EXPECT_TRUE(UnixAddress::of(std::string(kMost, 'a')));
  const auto refused = UnixAddress::of("/run/" + std::string(kMost, 'a'));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().sentence, HasSubstr("the socket path /run/aa"));
  EXPECT_THAT(refused.error().sentence, EndsWith("give WSGISocketPrefix a shorter one"));
}

TEST(SocketFile, IsOpenToItsOwnUserAloneAndCanBeConnectedTo) {
  const test::TempDir folder;
  const base::UniqueFd listening = make_socket();
  const auto file = SocketFile::bind(listening.get(), folder.path() + "/s");
  ASSERT_TRUE(file) << file.error().sentence;
  ASSERT_EQ(::listen(listening.get(), 1), 0);
  struct stat made {};
  ASSERT_EQ(::lstat(file->path().c_str(), &made), 0);
  EXPECT_EQ(made.st_mode & 0777u, 0600u);
  EXPECT_TRUE(file->in_place());
  const base::UniqueFd client = make_socket();
  EXPECT_TRUE(UnixAddress::of(file->path())->connect(client.get()));
  EXPECT_EQ(peer_of(client.get()), (Peer{::getpid(), ::geteuid()}));
}

TEST(SocketFile, GoesWithItsOwner) {
  const test::TempDir folder;
  const base::UniqueFd socket = make_socket();
  std::optional<SocketFile> file(SocketFile::bind(socket.get(), folder.path() + "/s").value());
  const std::string path = file->path();
  std::optional<SocketFile> moved(std::move(*file));
  file.reset();
  EXPECT_TRUE(exists(path));
  moved.reset();
  EXPECT_FALSE(exists(path));
}

TEST(SocketFile, LeavesAnotherSocketThatHasTakenItsPlace) {
  const test::TempDir folder;
  const base::UniqueFd first = make_socket();
  const base::UniqueFd second = make_socket();
  const std::string path = folder.path() + "/s";
  std::optional<SocketFile> before(SocketFile::bind(first.get(), path).value());
  const SocketFile after = SocketFile::bind(second.get(), path).value();
  EXPECT_FALSE(before->in_place());
  before.reset();
  EXPECT_TRUE(after.in_place());
}

TEST(SocketFile, SaysWhereItCouldNotBeMade) {
  const base::UniqueFd socket = make_socket();
  const auto refused = SocketFile::bind(socket.get(), "/no/such/folder/s");
  ASSERT_FALSE(refused);
  EXPECT_EQ(
      refused.error().sentence,
      "the socket /no/such/folder/s could not be made: bind: No such file or directory; make the "
      "folder /no/such/folder, or name another place with WSGISocketPrefix");
}

TEST(Peer, IsNobodyForWhatIsNoSocket) {
  EXPECT_EQ(peer_of(-1), std::nullopt);
}

}  // namespace
}  // namespace pyhost::os
