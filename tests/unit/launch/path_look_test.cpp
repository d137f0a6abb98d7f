#include "launch/path_look.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "harness/temp_dir.h"

namespace pyhost {
namespace {

using launch::PathLook;
using launch::refusal_of;
using Need = PathLook::Need;

class PathLookTest : public testing::Test {
 protected:
  std::string path(std::string_view rest) const { return folder_.path() + std::string(rest); }

  const test::TempDir folder_;
  const std::string script_ = folder_.write("app/site.wsgi", "");
};

TEST_F(PathLookTest, SaysNothingOfWhatCanBeReached) {
  EXPECT_EQ(refusal_of({script_}), std::nullopt);
  EXPECT_EQ(refusal_of({script_ + "/behind/it"}), std::nullopt);
  EXPECT_EQ(refusal_of({path("/app/"), Need::folder}), std::nullopt);
  EXPECT_EQ(refusal_of({path("//app"), Need::seen}), std::nullopt);
}

TEST_F(PathLookTest, NamesTheFirstPartThatIsMissing) {
  EXPECT_EQ(refusal_of({path("/no/such/site.wsgi")}), path("/no does not exist"));
  EXPECT_EQ(refusal_of({script_, Need::folder}), script_ + " is no folder");
}

TEST_F(PathLookTest, NamesTheFirstPartThatIsClosed) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  std::filesystem::permissions(path("/app"), std::filesystem::perms::owner_all);
  ASSERT_EQ(seteuid(65534), 0);
  const auto refused = refusal_of({script_});
  const auto listed = refusal_of({path("/app"), Need::folder});
  ASSERT_EQ(seteuid(0), 0);
  EXPECT_EQ(refused, "the folder " + path("/app is closed"));
  EXPECT_EQ(listed, "the folder " + path("/app is closed"));
}

TEST_F(PathLookTest, TellsReadingFromSeeing) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  std::filesystem::permissions(script_, std::filesystem::perms::owner_all);
  ASSERT_EQ(seteuid(65534), 0);
  const auto read = refusal_of({script_, Need::read});
  const auto seen = refusal_of({script_, Need::seen});
  ASSERT_EQ(seteuid(0), 0);
  EXPECT_EQ(read, "the file " + script_ + " may not be read");
  EXPECT_EQ(seen, std::nullopt);
}

}  // namespace
}  // namespace pyhost
