#include "control/watch_list.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pyhost/base/unique_fd.h"
#include "pyhost/gateway/build_id.h"

namespace pyhost::gateway {
namespace {

using namespace std::chrono_literals;

base::Result<control::WatchList> read_back(std::string_view text) {
  const base::UniqueFd file(::memfd_create("list", MFD_CLOEXEC));
  EXPECT_EQ(::write(file.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  return control::read_watch_list(file.get());
}

TEST(WatchList, CarriesBytesAsTheyAre) {
  const control::WatchList list{
      .since_us = 1'700'000'000'000'000,
      .globs = {{"sh\xf6p", {"/srv/\xff/*.py", "/srv/b\n"}}, {"blog", {}}}};
  const auto read = read_back(control::to_json(list));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, list);
}

TEST(WatchList, RefusesAnythingElse) {
  const auto with_build = [](std::string_view rest) {
    return "{\"build\":\"" + std::string(kBuildId) + "\"," + std::string(rest);
  };
  EXPECT_TRUE(read_back(with_build(R"("since_us":1,"groups":[]})")));
  for (const char* rest :
       {R"("groups":[]})", R"("since_us":"1","groups":[]})", R"("since_us":1,"groups":{}})",
        R"("since_us":1,"groups":[1]})", R"("since_us":1,"groups":[{"name":"a"}]})",
        R"("since_us":1,"groups":[{"name":"a","globs":[1]}]})",
        R"("since_us":1,"groups":[{"name":"\u1234","globs":[]}]})"}) {
    EXPECT_FALSE(read_back(with_build(rest))) << rest;
  }
  for (const char* text : {"", "{", "[]"}) EXPECT_FALSE(read_back(text)) << text;
}

TEST(WatchList, OfAnotherBuildIsRefusedForThatAlone) {
  const auto list = read_back(R"({"build":"0.9-other","since_us":"soon"})");
  ASSERT_FALSE(list);
  EXPECT_EQ(
      list.error().sentence,
      std::string("pyhost-lookout is of build ") + kBuildId +
          ", pyhost-supervisor of build 0.9-other; the programs have been replaced while httpd "
          "runs: restart httpd");
}

TEST(WatchReport, IsAChangeOrAProblem) {
  const control::WatchReport change{.group = "shop",
                                    .changed = "/srv/\xff.py",
                                    .at = std::chrono::steady_clock::time_point(5s),
                                    .file = {1, 2, 3, 4, 5}};
  const control::WatchReport problem{.group = "shop", .changed = "", .problem = "too many"};
  const control::WatchReport mended{.group = "shop", .changed = "", .problem = ""};
  for (const control::WatchReport& report : {change, problem, mended}) {
    EXPECT_EQ(control::parse_watch_report(control::to_json(report)), report);
  }
}

// Its writer runs as the user of a group.
TEST(WatchReport, RefusesAnythingElse) {
  for (const char* text :
       {"", "1", "[]", "{}", R"({"changed":"/a","at_ns":1})", R"({"group":1,"problem":""})",
        R"({"group":"a"})", R"({"group":"a","changed":"/a"})",
        R"({"group":"a","changed":"/a","at_ns":"1"})", R"({"group":"a","changed":"","at_ns":1})",
        R"({"group":"a","changed":"/a","at_ns":1})",
        R"({"group":"a","changed":"/\u1234","at_ns":1,"file":[1,2,3,4,5]})"}) {
    EXPECT_FALSE(control::parse_watch_report(text)) << text;
  }
}

}  // namespace
}  // namespace pyhost::gateway
