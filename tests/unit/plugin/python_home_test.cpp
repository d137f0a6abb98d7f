#include "plugin/python_home.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "harness/process.h"
#include "harness/temp_dir.h"

namespace pyhost::gateway {
namespace {

using test::TempDir;
using testing::HasSubstr;

constexpr char kVersion[] = TEST_PYTHON_VERSION;

// A virtualenv as the venv module makes it.
class RealVirtualenv : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TempDir;
    test::Process venv({.arguments = {TEST_PYTHON, "-m", "venv", "--without-pip", root()},
                        .environment = {{"PATH", "/usr/bin:/bin"}},
                        .output_file = folder_->path() + "/output.txt"});
    ASSERT_EQ(venv.wait_status(), 0) << test::read_file(folder_->path() + "/output.txt");
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }

  static std::string root() { return folder_->path() + "/env"; }

  static void expect_usable(const std::string& path) {
    const auto home = plugin::inspect_python_home(path, kVersion);
    ASSERT_TRUE(home.has_value()) << home.error().sentence;
    EXPECT_EQ(home->program, root() + "/bin/python") << path;
    EXPECT_EQ(home->home, "") << path;
  }

 private:
  static inline TempDir* folder_ = nullptr;
};

TEST_F(RealVirtualenv, IsUsableByItsRoot) {
  expect_usable(root());
  expect_usable(root() + "/");
}

TEST_F(RealVirtualenv, IsUsableByAPathInsideIt) {
  expect_usable(root() + "/bin");
  expect_usable(root() + "/bin/");
  expect_usable(root() + "/bin/python");
  expect_usable(root() + "/lib");
  expect_usable(root() + "/lib/python" + kVersion + "/site-packages");
}

std::string refusal_of(std::string_view path, std::string_view version = "3.11") {
  const auto home = plugin::inspect_python_home(path, version);
  return home ? "usable" : home.error().sentence;
}

TEST(PythonHome, IsUsableAsTheBaseInstallation) {
  const auto home = plugin::inspect_python_home("/usr", kVersion);
  ASSERT_TRUE(home.has_value()) << home.error().sentence;
  EXPECT_EQ(home->home, "/usr");
  EXPECT_EQ(home->program, "");
}

TEST(PythonHome, RefusesARelativePath) {
  EXPECT_EQ(refusal_of("venv"), "'venv' is not an absolute path");
  EXPECT_EQ(refusal_of(""), "'' is not an absolute path");
}

TEST(PythonHome, RefusesAPathThatDoesNotExist) {
  EXPECT_EQ(refusal_of("/nonexistent/venv"),
            "/nonexistent/venv cannot be used: No such file or directory");
}

TEST(PythonHome, RefusesAFolderThatIsNoEnvironment) {
  const TempDir folder;
  EXPECT_EQ(refusal_of(folder.path()),
            folder.path() +
                " is not a Python environment: neither a virtualenv (no pyvenv.cfg) nor a Python "
                "installation (no lib/python3.11/os.py)");
}

TEST(PythonHome, DoesNotLookForAnEnvironmentAboveAForeignFolder) {
  const TempDir folder;
  folder.write("pyvenv.cfg", "version = 3.11.2\n");
  folder.write("project/settings.py", "");
  EXPECT_THAT(refusal_of(folder.path() + "/project"), HasSubstr("is not a Python environment"));
}

TEST(PythonHome, RefusesAVirtualenvOfAnotherVersion) {
  const TempDir folder;
  folder.write("pyvenv.cfg", "home = /usr/bin\nversion = 3.9.2\n");
  EXPECT_EQ(refusal_of(folder.path()), folder.path() +
                                           " is a virtualenv of Python 3.9.2, but Python 3.11 is "
                                           "needed: make it anew with python3.11 -m venv");
}

TEST(PythonHome, DoesNotTakeOneMinorVersionForThePrefixOfAnother) {
  const TempDir folder;
  folder.write("pyvenv.cfg", "version = 3.11.4\n");
  EXPECT_THAT(refusal_of(folder.path(), "3.1"), HasSubstr("is a virtualenv of Python 3.11.4"));
  EXPECT_EQ(refusal_of(folder.path(), "3.11"), "usable");
}

TEST(PythonHome, ReadsTheVersionAsVirtualenvWritesIt) {
  const TempDir folder;
  folder.write("pyvenv.cfg", "implementation = CPython\nversion_info=3.11.2.final.0\r\n");
  EXPECT_EQ(refusal_of(folder.path(), "3.11"), "usable");
  EXPECT_THAT(refusal_of(folder.path(), "3.12"), HasSubstr("of Python 3.11.2.final.0"));
}

TEST(PythonHome, RefusesAnInstallationOfAnotherVersion) {
  const TempDir folder;
  folder.write("lib/python3.9/os.py", "");
  EXPECT_EQ(refusal_of(folder.path()),
            folder.path() + " is an installation of Python 3.9, but Python 3.11 is needed");
}

// In a process of its own, because root may read everything.
enum class As { user, effective_user };
[[noreturn]] void print_refusal_as_nobody(const std::string& path, As as = As::user) {
  constexpr uid_t kNobody = 65534, kUnchanged = -1;
  const uid_t others = as == As::user ? kNobody : kUnchanged;
  if (getuid() == 0 && setresuid(others, kNobody, others) != 0) std::abort();
  std::fprintf(stderr, "%s", refusal_of(path).c_str());
  // A sanitizer's look at what is left would need the rights that are gone.
  ::_exit(0);
}

TEST(PythonHome, RefusesAVirtualenvThatCannotBeRead) {
  const TempDir folder;
  chmod(folder.write("pyvenv.cfg", "version = 3.11.2\n").c_str(), 0);
  EXPECT_EXIT(print_refusal_as_nobody(folder.path()), testing::ExitedWithCode(0),
              "pyvenv.cfg cannot be read: Permission denied");
}

// Python would run without that part, or with what another installation has in its place.
TEST(PythonHome, RefusesAnEnvironmentOfWhichAPartIsClosed) {
  const TempDir folder;
  folder.write("env/pyvenv.cfg", "version = 3.11.2\n");
  folder.write("env/lib/python3.11/site-packages/only_here.py", "");
  folder.write("base/lib/python3.11/os.py", "");
  for (const char* part :
       {"/env", "/env/lib", "/env/lib/python3.11", "/env/lib/python3.11/site-packages", "/base",
        "/base/lib", "/base/lib/python3.11", "/base/lib/python3.11/os.py"}) {
    const std::string closed = folder.path() + part;
    const std::string root = folder.path() + std::string(part).substr(0, part[1] == 'e' ? 4 : 5);
    chmod(closed.c_str(), getuid() == 0 ? 0700 : 0);
    EXPECT_EXIT(print_refusal_as_nobody(root), testing::ExitedWithCode(0),
                "^" + closed + " cannot be used: Permission denied$");
    EXPECT_EXIT(print_refusal_as_nobody(root, As::effective_user), testing::ExitedWithCode(0),
                "^" + closed + " cannot be used: Permission denied$");
    chmod(closed.c_str(), 0755);
    EXPECT_EXIT(print_refusal_as_nobody(root), testing::ExitedWithCode(0), "^usable$");
  }
}

TEST(PythonHome, RefusesAPathBelowAFolderThatMayNotBeSearched) {
  const TempDir folder;
  folder.write("private/env/pyvenv.cfg", "version = 3.11.2\n");
  chmod((folder.path() + "/private").c_str(), 0700);
  if (getuid() != 0) chmod((folder.path() + "/private").c_str(), 0);
  EXPECT_EXIT(print_refusal_as_nobody(folder.path() + "/private/env"), testing::ExitedWithCode(0),
              "private/env cannot be used: Permission denied");
  chmod((folder.path() + "/private").c_str(), 0700);
}

}  // namespace
}  // namespace pyhost::gateway
