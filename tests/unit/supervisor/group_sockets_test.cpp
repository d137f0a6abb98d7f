#include "supervisor/group/group_sockets.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include "harness/temp_dir.h"
#include "scoreboard/board_rows.h"

namespace pyhost::supervisor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class GroupSocketsTest : public testing::Test {
 protected:
  GroupSocketsTest() {
    const std::string file = folder_.write("error.log", "");
    setup_.wanted.options.name = "blog";
    setup_.log = std::make_shared<QueuedLog>(
        loop_, base::UniqueFd(::open(file.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC)),
        base::LogRules{.level = base::LogLevel::info});
    folder_.write("run/other", "");
    sockets_.adopt(open(0, 2), setup_.options());
  }

  std::vector<launch::ListeningSocket> open(unsigned first, unsigned end) const {
    std::vector<launch::ListeningSocket> made;
    for (unsigned slot = first; slot < end; ++slot) {
      const std::string path = launch::socket_path(prefix_, 0, scoreboard::row_of(slot));
      made.push_back(launch::ListeningSocket::open(path, setup_.options(), std::nullopt).value());
    }
    return made;
  }

  std::vector<unsigned> mend(unsigned slots) { return sockets_.mend(setup_.options(), slots); }
  std::string log() const { return test::read_file(folder_.path() + "/error.log"); }

  const test::TempDir folder_;
  const std::string prefix_ = folder_.path() + "/run/wsgi";
  os::EventLoop loop_ = os::EventLoop::create().value();
  GroupSetup setup_;
  GroupLog log_{setup_};
  GroupSockets sockets_{prefix_, log_};
};

TEST_F(GroupSocketsTest, AreMadeAnewWhereTheirFilesAreGone) {
  EXPECT_THAT(mend(2), IsEmpty());
  const int before = sockets_.of(1).fd();
  ASSERT_EQ(::unlink(sockets_.of(1).path().c_str()), 0);
  EXPECT_THAT(mend(2), ElementsAre(1));
  EXPECT_TRUE(sockets_.of(1).in_place());
  EXPECT_THAT(log(), HasSubstr("process group 'blog': " + sockets_.of(1).path() +
                               " was gone and has been made again"));
  // What waits at the one of before is still to be taken.
  EXPECT_NE(::fcntl(before, F_GETFD), -1);
  sockets_.drop_replaced();
  EXPECT_EQ(::fcntl(before, F_GETFD), -1);
  EXPECT_TRUE(sockets_.of(1).in_place());
  EXPECT_THAT(mend(2), IsEmpty());
}

TEST_F(GroupSocketsTest, AreNotMendedForSlotsThatAreNotWanted) {
  ASSERT_EQ(::unlink(sockets_.of(1).path().c_str()), 0);
  EXPECT_THAT(mend(1), IsEmpty());
}

TEST_F(GroupSocketsTest, SayOnceThatTheyCannotBeMade) {
  const std::string run = folder_.path() + "/run";
  ASSERT_EQ(::rename(run.c_str(), (run + "-away").c_str()), 0);
  EXPECT_THAT(mend(2), IsEmpty());
  const std::string said = log();
  EXPECT_THAT(said, HasSubstr("process group 'blog': the socket " + prefix_));
  EXPECT_THAT(mend(2), IsEmpty());
  EXPECT_EQ(log(), said);
  ASSERT_EQ(::rename((run + "-away").c_str(), run.c_str()), 0);
  EXPECT_THAT(mend(2), IsEmpty());
}

TEST_F(GroupSocketsTest, GoWithTheirSlots) {
  sockets_.adopt(open(2, 3), setup_.options());
  const std::string last = sockets_.of(2).path();
  EXPECT_EQ(sockets_.size(), 3u);
  sockets_.shrink(2);
  EXPECT_EQ(sockets_.size(), 2u);
  EXPECT_NE(::access(last.c_str(), F_OK), 0);
}

}  // namespace
}  // namespace pyhost::supervisor
