#include "plugin/plugin_loader.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/auxv.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "os/small_file.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::plugin {
namespace {

constexpr std::string_view kPrefix = "pyhost-cpython-";
constexpr std::string_view kSuffix = ".so";
constexpr std::size_t kPluginBytesMax = std::size_t{256} << 20;  // with debug information

int minor_of(const PluginFile& file) {
  const std::string_view version = file.python_version;
  const auto dot = version.find('.');
  int minor = -1;
  if (dot != version.npos) {
    std::from_chars(version.data() + dot + 1, version.data() + version.size(), minor);
  }
  return minor;
}

}  // namespace

std::string folder_of_this_object() {
  Dl_info info{};
  static const char anchor = 0;
  if (dladdr(&anchor, &info) == 0 || info.dli_fname == nullptr) return ".";
  // For the program itself the name is what its caller wrote, which may mean another file here, or
  // none: "pyhost" for one that was found on $PATH.
  Dl_info program{};
  const bool is_program =
      dladdr(reinterpret_cast<const void*>(getauxval(AT_ENTRY)), &program) != 0 &&
      program.dli_fbase == info.dli_fbase;
  std::error_code error;
  const auto path =
      std::filesystem::canonical(is_program ? "/proc/self/exe" : info.dli_fname, error);
  return error ? "." : path.parent_path().string();
}

bool has_own_locks(const PluginFile& file) {
  constexpr int kFirstMinor = 12;
  return minor_of(file) >= kFirstMinor;
}

bool is_of_this_build(const PluginFile& file) {
  const base::UniqueFd fd(open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return true;
  const auto bytes = os::read_whole(fd.get(), kPluginBytesMax);
  return !bytes || bytes->find(gateway::kBuildId) != bytes->npos;
}

std::vector<PluginFile> find_plugins(const std::string& folder, std::string_view first) {
  std::vector<PluginFile> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) continue;
    found.push_back(
        {entry.path(), name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size())});
  }
  std::ranges::sort(found, std::ranges::greater(), [first](const PluginFile& file) {
    return std::pair(file.python_version == first, minor_of(file));
  });
  return found;
}

std::vector<PluginFile> find_plugins(const std::string& folder) {
  return find_plugins(folder, PYHOST_DEFAULT_PYTHON);
}

base::Result<const gateway::EnginePlugin*> load_plugin(const std::string& path) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE);
  if (handle == nullptr) return base::fail(fmt::format("{} cannot be loaded: {}", path, dlerror()));
  auto* entry = reinterpret_cast<const gateway::EnginePlugin* (*)()>(
      dlsym(handle, gateway::kEnginePluginSymbol));
  if (entry == nullptr) return base::fail(fmt::format("{} is not an engine plugin", path));
  const gateway::EnginePlugin* plugin = entry();
  if (std::string_view(plugin->build) != gateway::kBuildId) {
    return base::fail(
        fmt::format("{} is of build {}, this program of build {}; install both from "
                    "one build",
                    path, plugin->build, gateway::kBuildId));
  }
  return plugin;
}

}  // namespace pyhost::plugin
