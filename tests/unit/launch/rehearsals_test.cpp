#include "launch/rehearsals.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/temp_dir.h"
#include "harness/wait.h"

namespace pyhost::launch {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;

// As an ordinary user it is a matter of who runs the tests; as root, httpd's user looks.
const control::HttpdIdentity kHttpd{.uid = 33, .gid = 33};

class Rehearsed : public testing::Test {
 protected:
  std::size_t add(launch::InputFiles files, launch::Rehearse extent = launch::Rehearse::files,
                  const settings::ProcessGroup& options = {.name = "shop"},
                  base::Milliseconds patience = base::Milliseconds(60'000)) {
    auto plan = launch::plan_worker(options, kHttpd, "/bin/true");
    EXPECT_TRUE(plan) << plan.error().sentence;
    files.group_name = options.name;
    return rehearsals_.add({.plan = *std::move(plan),
                            .files = std::move(files),
                            .extent = extent,
                            .patience = patience});
  }
  std::string refusal(std::size_t number) {
    launch::run_to_end(loop_, rehearsals_);
    const auto& outcome = rehearsals_.outcome(number);
    return outcome ? "" : outcome.error().sentence;
  }

  test::TempDir folder_;
  os::EventLoop loop_ = *os::EventLoop::create();
  launch::Rehearsals rehearsals_{loop_};
};

TEST_F(Rehearsed, StartBringsWhatItsFilesSay) {
  const std::string text = "A=\xff\nB=2\n" + std::string(500'000, '#');
  const auto number = add({.env_file = folder_.write("env", text)}, launch::Rehearse::start);
  EXPECT_EQ(refusal(number), "");
  EXPECT_EQ(rehearsals_.outcome(number)->env_text, text);
}

TEST_F(Rehearsed, StartsSideBySideKeepTheirOutcomesApart) {
  std::vector<std::size_t> numbers;
  for (int i = 0; i < 100; ++i) {
    const std::string name = "env" + std::to_string(i);
    numbers.push_back(add({.env_file = folder_.write(name, name)}));
  }
  numbers.push_back(add({.env_file = folder_.path() + "/none"}));
  EXPECT_THAT(refusal(numbers.back()), AllOf(HasSubstr("WSGIDaemonProcess shop: env-file="),
                                             HasSubstr("/none cannot be read: No such file")));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(rehearsals_.outcome(numbers[i])->env_text, "env" + std::to_string(i));
  }
}

TEST_F(Rehearsed, StartIsHeldUpByNoFileThatIsNone) {
  const std::string fifo = folder_.path() + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0644), 0);
  EXPECT_THAT(refusal(add({.env_file = fifo})), EndsWith("cannot be read: it is no regular file"));
  EXPECT_THAT(refusal(add({.env_file = "/dev/zero"})), EndsWith("it is no regular file"));
  const std::string venv = folder_.make_writable("venv");
  ASSERT_EQ(symlink("/dev/zero", (venv + "/pyvenv.cfg").c_str()), 0);
  EXPECT_THAT(refusal(add({.python = {.home = venv, .version = ""},
                           .python_option = "WSGIDaemonProcess shop: python-home=",
                           .plugins = {{.path = "/p.so", .python_version = "3.11"}}})),
              AllOf(HasSubstr("WSGIDaemonProcess shop: python-home=: "),
                    EndsWith("pyvenv.cfg cannot be read: it is no regular file")));
}

TEST_F(Rehearsed, StartChoosesThePluginThatFits) {
  const std::string venv = folder_.make_writable("venv");
  folder_.write("venv/pyvenv.cfg", "version = 3.9.1\n");
  const std::vector<plugin::PluginFile> plugins{{.path = "/11.so", .python_version = "3.11"},
                                                {.path = "/9.so", .python_version = "3.9"}};
  const auto number =
      add({.python = {.home = venv, .version = ""}, .python_option = "x", .plugins = plugins});
  EXPECT_EQ(refusal(number), "");
  EXPECT_EQ(rehearsals_.outcome(number)->plugin, "/9.so");
  EXPECT_EQ(rehearsals_.outcome(number)->python_program, venv + "/bin/python");
}

TEST_F(Rehearsed, StartFailsWithItsStep) {
  settings::ProcessGroup options{.name = "shop"};
  options.home = "/no/such/folder";
  EXPECT_THAT(refusal(add({}, launch::Rehearse::start, options)),
              HasSubstr("home=/no/such/folder cannot be entered"));
}

TEST_F(Rehearsed, StartThatHangsIsGivenUpWithThePathsItLookedAt) {
  // Nothing is given a turn in which it could end before it is given up.
  const auto number = add({.env_file = folder_.write("env", "")}, launch::Rehearse::files,
                          {.name = "shop"}, base::Milliseconds(5'000));
  const base::TimePoint begun = base::Clock::now();
  rehearsals_.advance(begun);
  EXPECT_EQ(rehearsals_.next_deadline(), begun + base::Milliseconds(5'000));
  rehearsals_.advance(begun + base::Milliseconds(5'000));
  ASSERT_TRUE(rehearsals_.done());
  EXPECT_EQ(rehearsals_.outcome(number).error().sentence,
            "WSGIDaemonProcess shop: the rehearsal of a start has not ended within 5 s: it was "
            "held up by " +
                folder_.path() + "/env");
}

class PrivilegedRehearsal : public Rehearsed {
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
  }
};

TEST_F(PrivilegedRehearsal, ReadsNothingThatTheUserMayNotRead) {
  // Root's secret, and a link of the user's to it.
  const std::string secret = folder_.write("secret", "PASSWORD=x");
  ASSERT_EQ(chmod(secret.c_str(), 0600), 0);
  const std::string link = folder_.make_writable("shop") + "/env";
  ASSERT_EQ(symlink(secret.c_str(), link.c_str()), 0);
  EXPECT_THAT(refusal(add({.env_file = link})), EndsWith("cannot be read: Permission denied"));
}

TEST_F(PrivilegedRehearsal, ReadsWhatOnlyRootCanHavePutThere) {
  // The one file of every system that is root's alone, in folders that are.
  const std::string path = "/etc/shadow";
  struct stat info {};
  if (stat(path.c_str(), &info) != 0 || info.st_uid != 0) GTEST_SKIP() << "no " << path;
  const auto number = add({.env_file = path});
  EXPECT_EQ(refusal(number), "");
  EXPECT_EQ(rehearsals_.outcome(number)->env_text, test::read_file(path));
}

TEST_F(PrivilegedRehearsal, LooksWithTheRightsOfTheWorker) {
  const std::string venv = folder_.make_writable("home") + "/venv";
  folder_.write("home/venv/pyvenv.cfg", "version = 3.11.2\n");
  ASSERT_EQ(chmod((folder_.path() + "/home").c_str(), 0700), 0);
  EXPECT_THAT(refusal(add({.python = {.home = venv, .version = ""},
                           .python_option = "WSGIPythonHome",
                           .plugins = {{.path = "/p.so", .python_version = "3.11"}}})),
              HasSubstr("WSGIPythonHome: " + venv + " cannot be used: Permission denied"));
}

}  // namespace
}  // namespace pyhost::launch
