// Mercurial's server, which streams bundles both ways.

#include <gmock/gmock.h>

#include <filesystem>

#include "harness/command.h"
#include "harness/httpd.h"
#include "httpd/digest.h"

namespace pyhost::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// Runs hg with no configuration but the arguments'.
std::string hg(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"/usr/bin/hg", "--config", "ui.username=test"});
  const CommandResult result = run_as_server_user(arguments, {{"HGRCPATH", ""}});
  EXPECT_TRUE(result.ok()) << arguments[3] << ": " << result;
  return result.output;
}

std::string tip_of(const std::string& repository) {
  return hg({"identify", "--id", "--debug", "--rev", "tip", repository});
}

// A file that all may read and compression does not shrink.
void write_file(const std::string& path, std::string_view text) {
  const TempDir folder;
  const std::string file = folder.write("file", text);
  const CommandResult copied = run_as_server_user({"/bin/cp", file, path});
  EXPECT_TRUE(copied.ok()) << copied;
}

void commit(const std::string& repository, const std::string& file, std::string_view text) {
  write_file(repository + "/" + file, text);
  hg({"commit", "--addremove", "--message", "add " + file, "--cwd", repository});
}

TEST(Mercurial, ClonesAndPushesOverHttp) {
  const TempDir folder;
  const std::string home = folder.make_writable("home");
  const std::string origin = home + "/origin";
  const std::string copy = home + "/copy";
  hg({"init", origin});
  commit(origin, "first.bin", varied_bytes(3'000'000));
  commit(origin, "second.txt", "a line\n");
  write_file(origin + "/.hg/hgrc", "[web]\nallow-push = *\npush_ssl = false\n");

  const Httpd httpd("WSGIScriptAlias / ${APPS}/hgweb.wsgi\nPassEnv REPOSITORY",
                    {.environment = {{"REPOSITORY", origin}}});
  const std::string url = "http://127.0.0.1:" + std::to_string(httpd.port()) + "/";
  EXPECT_THAT(httpd.get("/").body, HasSubstr("add first.bin"));

  hg({"clone", url, copy});
  EXPECT_EQ(tip_of(copy), tip_of(origin));
  EXPECT_THAT(hg({"verify", "--cwd", copy}), HasSubstr("checked 2 changesets"));
  EXPECT_EQ(read_file(copy + "/first.bin"), varied_bytes(3'000'000));

  commit(copy, "third.bin", varied_bytes(2'000'000));
  hg({"push", "--cwd", copy});
  EXPECT_EQ(tip_of(copy), tip_of(origin));
  EXPECT_THAT(hg({"verify", "--cwd", origin}), HasSubstr("checked 3 changesets"));
}

}  // namespace
}  // namespace pyhost::test
