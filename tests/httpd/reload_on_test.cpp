// Groups that roll when files of their reload-on= change.

#include <gmock/gmock.h>

#include <filesystem>

#include "harness/httpd.h"
#include "harness/temp_dir.h"
#include "httpd/load.h"
#include "httpd/text.h"

namespace pyhost::test {
namespace {

namespace fs = std::filesystem;

// It never changes itself.
constexpr char kScript[] =
    "import sys\n"
    "sys.path.insert(0, __file__.rsplit('/', 1)[0] + '/current')\n"
    "import module\n"
    "def application(environ, start_response):\n"
    "    start_response('200 OK', [])\n"
    "    return [module.TEXT]\n";

// As atomic deployments have it: current -> releases/1.
class Folder {
 public:
  Folder() {
    dir.write("site.wsgi", kScript);
    write_module("releases/1", "1");
    write_module("releases/2", "2");
    switch_to("releases/1");
  }

  void write_module(const std::string& release, std::string_view text) const {
    dir.write(release + "/module.py", "TEXT = b'" + std::string(text) + "'\n");
  }
  void switch_to(const std::string& release) const {
    fs::create_symlink(release, path("next"));
    fs::rename(path("next"), path("current"));
  }
  // `globs` are relative.
  void configure(std::initializer_list<const char*> globs, std::string options = "") const {
    for (const char* glob : globs) options += " reload-on=" + path(glob);
    dir.write("site.conf", "WSGIDaemonProcess site threads=4 " + options +
                               "\n"
                               "WSGIScriptAlias / " +
                               path("site.wsgi") +
                               " process-group=site\n"
                               "<Location />\n  Require all granted\n</Location>\n");
  }
  std::string path(const std::string& relative) const { return dir.path() + "/" + relative; }

  TempDir dir;
};

class ReloadOn : public testing::Test {
 protected:
  // Returns when the group is watched and has served.
  void serve(std::initializer_list<const char*> globs, const std::string& options = "") {
    folder_.configure(globs, options);
    httpd_.emplace("Include " + folder_.path("site.conf"), Options{.processes = 8});
    EXPECT_EQ(httpd_->get("/").body, "1");
  }
  void expect_answer(std::string_view text) const {
    EXPECT_TRUE(wait_until([&] { return httpd_->get("/").body == text; })) << httpd_->get("/");
  }
  [[nodiscard]] bool logged(std::string_view text) const {
    return wait_until([&] { return count(httpd_->log(), text) > 0; });
  }

  Folder folder_;
  std::optional<Httpd> httpd_;
};

TEST_F(ReloadOn, TakesAChangedModuleAndLosesNoRequest) {
  serve({"current/**/*.py"}, "processes=2");
  const Load load(*httpd_, 4);
  load.go_on(20);
  for (const char* text : {"first", "second"}) {
    folder_.write_module("releases/1", text);
    expect_answer(text);
    load.go_on(20);
  }
  EXPECT_TRUE(logged("process group 'site' rolls: " + folder_.path("current/module.py")));
}

TEST_F(ReloadOn, TakesWhatASymbolicLinkIsSwitchedTo) {
  serve({"current"});
  const Load load(*httpd_, 4);
  folder_.switch_to("releases/2");
  expect_answer("2");
  folder_.switch_to("releases/1");
  expect_answer("1");
}

TEST_F(ReloadOn, NoticesAFileInAFolderThatIsNew) {
  serve({"data/**/*.txt", "current/*.py"});
  folder_.dir.write("data/new/deep/a.txt", "");
  EXPECT_TRUE(logged("/data/new/deep/a.txt has changed"));
  folder_.write_module("releases/1", "changed");
  expect_answer("changed");
}

TEST_F(ReloadOn, KeepsOldCodeWhileTheNewOneIsBroken) {
  serve({"current/*.py"});
  {
    const Load load(*httpd_, 4);
    folder_.dir.write("releases/1/module.py", "TEXT =\n");
    EXPECT_TRUE(logged("PH0411"));
    load.go_on(20);
    EXPECT_EQ(httpd_->get("/").body, "1");
    folder_.write_module("releases/1", "mended");
    expect_answer("mended");
  }
  for (const char* expected : {"PH0109", "PH0406", "PH0411"}) {
    httpd_->expect_log(expected);
  }
}

TEST_F(ReloadOn, RollsOnceForAScriptThatARequestMeetsFirst) {
  using namespace std::chrono_literals;
  serve({"*.wsgi"});
  folder_.dir.write("site.wsgi", std::string(kScript) + "module.TEXT = b'changed'\n");
  EXPECT_EQ(httpd_->get("/").body, "changed");
  EXPECT_FALSE(wait_until([&] { return count(httpd_->log(), "generation 3)") > 0; }, 500ms));
}

TEST_F(ReloadOn, FollowsTheConfigurationThroughARestart) {
  serve({"current/*.py"});
  folder_.configure({"data/*"});
  httpd_->graceful();
  EXPECT_TRUE(logged("generation 2)"));
  EXPECT_EQ(httpd_->get("/").body, "1");
  folder_.write_module("releases/1", "unnoticed");
  folder_.dir.write("data/a.txt", "");
  EXPECT_TRUE(logged("/data/a.txt has changed"));
  EXPECT_EQ(count(httpd_->log(), "module.py has changed"), 0u);
}

}  // namespace
}  // namespace pyhost::test
