#include "apache/check/capacity_findings.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "apache/check/embedded_memory.h"
#include "apache/config/configuration_lines.h"
#include "apache/config/process_groups.h"
#include "apache/config/socket_prefix.h"
#include "apache/pool.h"

namespace pyhost::apache {
namespace {

using base::Message;

unsigned mpm_number(int query) {
  int number = 0;
  if (ap_mpm_query(query, &number) != APR_SUCCESS) return 0;
  return static_cast<unsigned>(std::max(number, 0));
}

// How many children there may be, and how many requests one of them has at a time.
unsigned children_max() {
  return std::max(mpm_number(AP_MPMQ_MAX_DAEMONS), 1u);
}
unsigned threads_of_child() {
  return std::max(mpm_number(AP_MPMQ_MAX_THREADS), 1u);
}

void check_children(const server_rec* s, Findings& findings) {
  unsigned long wanted = 0;
  for (const DaemonGroup* group : all_process_groups()) {
    wanted +=
        static_cast<unsigned long>(worker_count(group->options)) * places_of_worker(group->options);
  }
  const unsigned long taken = static_cast<unsigned long>(children_max()) * threads_of_child();
  if (wanted <= taken) return;
  findings.add(
      s, Severity::advice, Message::children_too_few,
      {.sentence = fmt::format("httpd takes {} requests at a time, and its process groups "
                               "could run {}",
                               taken, wanted),
       .cure = fmt::format("MaxRequestWorkers {}, or fewer processes= and threads=", wanted)},
      nullptr);
}

// A child of the event MPM takes connections for as long as it has idle threads for its factor.
void check_async_factor(const server_rec* s, Findings& findings) {
  constexpr double kDefaultFactor = 2;
  const std::string value = last_value_of("AsyncRequestWorkerFactor");
  if (value.empty() || all_process_groups().empty() || mpm_number(AP_MPMQ_IS_ASYNC) == 0) return;
  if (strtod(value.c_str(), nullptr) >= kDefaultFactor) return;
  findings.add(
      s, Severity::advice, Message::async_factor_low,
      {.sentence = fmt::format("AsyncRequestWorkerFactor {}: threads that wait for a process "
                               "group count as busy, and connections that only keep open are "
                               "refused early",
                               value),
       .cure = "leave it at 2 or above"},
      nullptr);
}

void check_interpreters(const server_rec* s, const std::vector<Application>& applications,
                        Findings& findings) {
  constexpr unsigned kMany = 8;
  std::set<std::pair<std::string_view, std::string_view>> embedded;
  const Application* first = nullptr;
  for (const Application& each : applications) {
    if (!each.is_embedded()) continue;
    embedded.emplace(each.alias->path, each.alias->target);
    if (first == nullptr) first = &each;
  }
  const unsigned long copies = embedded.size() * static_cast<unsigned long>(children_max());
  if (first == nullptr || copies <= kMany) return;
  const std::string memory = describe_embedded_memory();
  findings.add(s, Severity::advice, Message::interpreters_many,
               {.sentence = fmt::format("{} application{} in httpd's own processes, of which there "
                                        "may be {}: {} copies{}{}",
                                        embedded.size(), embedded.size() == 1 ? "" : "s",
                                        children_max(), copies, memory.empty() ? "" : ", ", memory),
                .cure = fmt::format("WSGIDaemonProcess apps processes=2 threads=15, and "
                                    "WSGIProcessGroup apps; or process-group=apps in {}",
                                    first->alias->written)},
               first->alias->place);
}

}  // namespace

void find_lacking_capacity(const server_rec* main_server,
                           const std::vector<Application>& applications, Findings& findings) {
  check_children(main_server, findings);
  check_async_factor(main_server, findings);
  check_interpreters(main_server, applications, findings);
}

void find_prefork_with_http2(const server_rec* main_server, Findings& findings) {
  if (mpm_number(AP_MPMQ_IS_THREADED) != 0 || ap_find_linked_module("mod_http2.c") == nullptr)
    return;
  for (const ConfigurationLine& line : configuration_lines()) {
    const bool asks = line.is("Protocols") && std::ranges::any_of(line.words, [](const auto& word) {
                        return word == "h2" || word == "h2c";
                      });
    if (!asks) continue;
    findings.add(main_server, Severity::warning, Message::prefork_http2,
                 {.sentence = "Protocols: mod_http2 serves no HTTP/2 under the prefork MPM",
                  .cure = "load mod_mpm_event instead; process groups have processes of their own"},
                 line.place.c_str());
  }
}

void find_open_socket_folder(const server_rec* main_server, Findings& findings) {
  if (all_process_groups().empty()) return;
  const std::string prefix = configured_socket_prefix(main_server->process->pconf);
  const std::string folder = prefix.substr(0, std::max<std::size_t>(prefix.rfind('/'), 1));
  struct stat status {};
  if (stat(folder.c_str(), &status) != 0) return;
  const bool foreign = status.st_uid != 0 && status.st_uid != geteuid();
  const bool open =
      (status.st_mode & S_IWOTH) != 0 || ((status.st_mode & S_IWGRP) != 0 && status.st_gid != 0);
  if (!foreign && !open) return;
  const auto& places = server_config(main_server).places;
  const auto place = places.find("WSGISocketPrefix");
  findings.add(main_server, Severity::warning, Message::socket_folder_open,
               {.sentence = fmt::format("WSGISocketPrefix: others than root can write to {}, where "
                                        "the workers' sockets are, and keep httpd from making them",
                                        folder),
                .cure = "name a folder of root's own, such as one below /run"},
               place == places.end() ? nullptr : place->second);
}

}  // namespace pyhost::apache
