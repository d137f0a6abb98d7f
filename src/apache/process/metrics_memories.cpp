#include "apache/process/metrics_memories.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "apache/log.h"
#include "apache/pool.h"
#include "apache/process/board_size.h"
#include "apache/process/kept_descriptor.h"
#include "appmetrics/lanes.h"
#include "pyhost/gateway/build_id.h"

namespace pyhost::apache {
namespace {

constexpr char kRetainedMetricsKey[] = "mod_pyhost metrics memories";
// Of what httpd's own processes run.
constexpr char kEmbedded[] = "";

struct RetainedFile {
  const char* group;
  const char* identity;
  int file;  // close-on-exec
  int wanted;
};

// In memory that httpd keeps. The module of another build reads it after an upgrade, so these two
// stay as they are.
struct RetainedMemories {
  char build[gateway::kBuildIdBytesMax + 1];
  apr_array_header_t* files;
};

RetainedFile& at(apr_array_header_t* files, int i) noexcept {
  return APR_ARRAY_IDX(files, i, RetainedFile);
}

// Those of another build stay with its children and workers, who have mapped them.
apr_array_header_t* retained_files(apr_pool_t* process_pool) {
  auto* retained = static_cast<RetainedMemories*>(ap_retained_data_get(kRetainedMetricsKey));
  if (retained == nullptr) {
    retained = static_cast<RetainedMemories*>(
        ap_retained_data_create(kRetainedMetricsKey, sizeof(RetainedMemories)));
    retained->files = apr_array_make(process_pool, 4, sizeof(RetainedFile));
  }
  if (std::string_view(retained->build) != gateway::kBuildId) {
    for (int i = 0; i < retained->files->nelts; ++i) ::close(at(retained->files, i).file);
    retained->files->nelts = 0;
    const std::string_view build = gateway::kBuildId;
    retained->build[build.copy(retained->build, gateway::kBuildIdBytesMax)] = '\0';
  }
  return retained->files;
}

}  // namespace

MetricsMemories::MetricsMemories(server_rec* main_server)
    : main_server_(main_server),
      parent_(::getpid()),
      files_(retained_files(main_server->process->pool)) {}

MetricsMemories::~MetricsMemories() {
  if (::getpid() != parent_) static_cast<void>(mapped_.release());
}

void MetricsMemories::begin() noexcept {
  mapped_->clear();
  for (int i = 0; i < files_->nelts; ++i) at(files_, i).wanted = 0;
}

base::Result<int> MetricsMemories::find_or_make(const std::string& group,
                                                const std::string& identity,
                                                const appmetrics::Shape& shape) {
  for (int i = 0; i < files_->nelts; ++i) {
    RetainedFile& known = at(files_, i);
    if (identity != known.identity || !appmetrics::fits(known.file, shape)) continue;
    known.wanted = 1;
    return known.file;
  }
  PH_TRY(made, appmetrics::make_memory(shape));
  const RetainedFile file{.group = apr_pstrdup(files_->pool, group.c_str()),
                          .identity = apr_pstrdup(files_->pool, identity.c_str()),
                          .file = keep_out_of_the_way(std::move(made)),
                          .wanted = 1};
  APR_ARRAY_PUSH(files_, RetainedFile) = file;
  return file.file;
}

int MetricsMemories::want(const std::string& group, const std::string& identity,
                          const appmetrics::Shape& shape) {
  if (shape.bytes == 0) return -1;
  const auto access = group == kEmbedded ? appmetrics::Access::write : appmetrics::Access::read;
  const auto file = find_or_make(group, identity, shape);
  auto memory = file.and_then([&](int fd) { return appmetrics::Memory::map(fd, access); });
  if (memory) {
    mapped_->emplace(group, *std::move(memory));
    return *file;
  }
  log_server(main_server_, base::LogLevel::error, base::Message::metrics_memory_failed,
             fmt::format("process group '{}': what its applications measure is not kept: {}", group,
                         memory.error().sentence));
  return -1;
}

void MetricsMemories::forget_others() noexcept {
  int kept = 0;
  for (int i = 0; i < files_->nelts; ++i) {
    const RetainedFile& file = at(files_, i);
    if (file.wanted == 0) {
      ::close(file.file);
    } else {
      at(files_, kept++) = file;
    }
  }
  files_->nelts = kept;
}

void MetricsMemories::keep_others() {
  for (int i = 0; i < files_->nelts; ++i) {
    const RetainedFile& file = at(files_, i);
    if (mapped_->contains(file.group)) continue;
    auto memory = appmetrics::Memory::map(file.file, appmetrics::Access::read);
    if (memory) mapped_->emplace(file.group, *std::move(memory));
  }
}

const appmetrics::Memory* MetricsMemories::memory_or_null(std::string_view group) const noexcept {
  const auto found = mapped_->find(group);
  return found == mapped_->end() ? nullptr : &found->second;
}

void MetricsMemories::forget_child(pid_t pid) noexcept {
  const auto* memory = memory_or_null(kEmbedded);
  if (memory != nullptr) appmetrics::note_end_of(*memory, static_cast<std::uint32_t>(pid));
}

void MetricsMemories::close_in_fork() noexcept {
  for (int i = 0; i < files_->nelts; ++i) ::close(at(files_, i).file);
}

}  // namespace pyhost::apache
