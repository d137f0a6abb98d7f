#include "apache/check/request_probe.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <span>

#include "apache/check/imagined_request.h"
#include "apache/config/worker_config.h"
#include "apache/pool.h"
#include "base/clock.h"
#include "os/pipe.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::apache {
namespace {

constexpr std::chrono::seconds kPatience{10};

// Modules write what they think of it to logs that are nobody's here.
void silence() {
  const base::UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null.get(), fd);
}

// .htaccess files are their owners': root does not read them.
bool become_httpds_child() {
  if (geteuid() != 0) return true;
  const auto [uid, gid] = httpd_identity();
  return setgroups(1, &gid) == 0 && setresgid(gid, gid, gid) == 0 && setresuid(uid, uid, uid) == 0;
}

// mod_mime reads its types of files in post_config, and cannot tell a handler without them.
void start_mod_mime(const server_rec* main_server) {
  const auto* hooks = ap_hook_get_post_config();
  for (int i = 0; hooks != nullptr && i < hooks->nelts; ++i) {
    const auto& hook = APR_ARRAY_IDX(hooks, i, ap_LINK_post_config_t);
    if (view_or_empty(hook.szName) != "mod_mime.c") continue;
    apr_pool_t* pool = main_server->process->pconf;
    hook.pFunc(pool, pool, pool, const_cast<server_rec*>(main_server));
  }
}

[[noreturn]] void answer_all(const server_rec* main_server, std::span<const ProbedUrl> urls,
                             int out) {
  silence();
  if (!become_httpds_child()) _exit(1);
  start_mod_mime(main_server);
  for (const ProbedUrl& url : urls) {
    std::string line = to_json(ImaginedRequest(main_server, url).explain());
    line += '\n';
    for (std::string_view rest = line; !rest.empty();) {
      const ssize_t written = write(out, rest.data(), rest.size());
      if (written <= 0) _exit(1);
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  _exit(0);
}

// All that it writes until it ends or the time is over.
std::string read_all(int in, base::TimePoint until) {
  std::string text;
  std::array<char, 16'384> buffer;
  while (true) {
    using std::chrono::ceil, std::chrono::milliseconds;
    const auto left = ceil<milliseconds>(until - base::Clock::now()).count();
    pollfd readable{.fd = in, .events = POLLIN, .revents = 0};
    if (left <= 0 || poll(&readable, 1, static_cast<int>(left)) <= 0) return text;
    const ssize_t got = read(in, buffer.data(), buffer.size());
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

void add_answers(std::string_view text, std::size_t count_max, ProbeAnswers& answers) {
  for (std::size_t start = 0; count_max > 0; --count_max) {
    const auto stop = text.find('\n', start);
    if (stop == text.npos) return;
    const auto explanation = control::parse_explanation(text.substr(start, stop - start));
    answers.push_back(explanation ? std::optional(*explanation) : std::nullopt);
    start = stop + 1;
  }
}

// Adds the answers up to the one that ends the process.
void ask(const server_rec* main_server, std::span<const ProbedUrl> urls, base::TimePoint until,
         ProbeAnswers& answers) {
  auto pipe = os::make_pipe();
  if (!pipe) return;
  const pid_t pid = fork();
  if (pid < 0) return;
  if (pid == 0) answer_all(main_server, urls, pipe->write_end.get());
  pipe->write_end.reset();
  add_answers(read_all(pipe->read_end.get(), until), urls.size(), answers);
  // Who is held up by a dead filesystem is not waited for.
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, WNOHANG);
}

}  // namespace

ProbeAnswers probe_requests(const server_rec* main_server, const std::vector<ProbedUrl>& urls) {
  const base::TimePoint until = base::Clock::now() + kPatience;
  ProbeAnswers answers;
  while (answers.size() < urls.size() && base::Clock::now() < until) {
    ask(main_server, std::span(urls).subspan(answers.size()), until, answers);
    if (answers.size() < urls.size()) answers.emplace_back();
  }
  answers.resize(urls.size());
  return answers;
}

}  // namespace pyhost::apache
