// A worker whose root is a folder that holds no more than it needs.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include "harness/command.h"
#include "harness/httpd.h"

namespace pyhost::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// Arguments: the jail, and the folder of pyhost-worker and its plugin.
constexpr char kBuildJail[] = R"sh(
set -e
jail=$1
put() {
  for file; do
    mkdir -p "$jail$(dirname "$file")"
    cp -L "$file" "$jail$file"
  done
}
put "$2"/pyhost-worker "$2"/pyhost-cpython-*.so
python=$(/usr/bin/python3 -c 'import os; print(os.path.dirname(os.__file__))')
mkdir -p "$jail$python"
(cd "$python" && tar -c --exclude=test --exclude='config-*' --exclude=__pycache__ .) | tar -x -C "$jail$python"
for file in "$2"/pyhost-worker "$2"/pyhost-cpython-*.so "$python"/lib-dynload/*.so; do
  ldd "$file"
done | grep -o '/[^ ]*' | sort -u | while read -r library; do put "$library"; done
)sh";

constexpr char kApplication[] = R"(
import json, os
def application(environ, start_response):
    start_response('200 OK', [])
    seen = [__file__, environ['SCRIPT_FILENAME'], sorted(os.listdir('/'))]
    return [json.dumps(seen).encode()]
)";

class Jail : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can change the root of a process";
    const std::string module = TEST_MODULE;
    const CommandResult built = run_command(
        {"/bin/sh", "-c", kBuildJail, "sh", jail_.path(), module.substr(0, module.rfind('/'))});
    ASSERT_TRUE(built.ok()) << built;
  }

  const TempDir jail_;
};

TEST_F(Jail, IsAllThatItsApplicationSees) {
  const std::string script = jail_.write("app/inside.wsgi", kApplication);
  const Httpd httpd(
      fmt::format("WSGIDaemonProcess g chroot={0}\n"
                  "WSGIScriptAlias / {1} process-group=g\n"
                  "<Directory {0}/app>\n  Require all granted\n</Directory>\n",
                  jail_.path(), script));
  const Response reply = httpd.get("/");
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.body, HasSubstr(R"("/app/inside.wsgi")"));
  EXPECT_THAT(reply.body, HasSubstr(R"("app")"));
  // Which no program or library lies in.
  EXPECT_THAT(reply.body, Not(HasSubstr(R"("proc")")));
}

TEST_F(Jail, WithoutPythonIsFoundByTheCheck) {
  const std::string config = fmt::format("WSGIDaemonProcess g chroot={}\n", jail_.path());
  EXPECT_TRUE(check_config(config).ok());
  const CommandResult removed =
      run_command({"/bin/sh", "-c", "find \"$1\" -name 'libpython*' -delete", "sh", jail_.path()});
  ASSERT_TRUE(removed.ok()) << removed;
  ConfigCheck check = check_config(config);
  EXPECT_EQ(check.exit_code, 1);
  EXPECT_THAT(check.output, AllOf(HasSubstr("PH0355: WSGIDaemonProcess g: below its chroot=, "),
                                  HasSubstr("libpython")));
  const CommandResult bare =
      run_command({"/bin/sh", "-c", "find \"$1\" -name 'libc.so*' -delete", "sh", jail_.path()});
  ASSERT_TRUE(bare.ok()) << bare;
  check = check_config(config);
  EXPECT_EQ(check.exit_code, 1);
  EXPECT_THAT(check.output, HasSubstr("a library that it needs is missing there"));
}

}  // namespace
}  // namespace pyhost::test
