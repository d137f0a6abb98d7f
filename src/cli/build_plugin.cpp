#include "cli/build_plugin.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>

#include "cli/tool_run.h"
#include "plugin/plugin_loader.h"
#include "serve/module_folder.h"

namespace pyhost::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// What an installation has the source in, below its prefix.
constexpr char kInstalledSource[] = "share/pyhost/source";

// Asked in isolation, so that nothing of the current folder or the user is imported.
constexpr char kQuestion[] = R"(
import json, os, sys, sysconfig
print(json.dumps({
    'version': '%d.%d' % sys.version_info[:2],
    'implementation': sys.implementation.name,
    'library': os.path.join(sysconfig.get_config_var('LIBDIR') or '', sysconfig.get_config_var('LDLIBRARY') or ''),
    'header': os.path.join(sysconfig.get_path('include'), 'Python.h'),
}))
)";

struct Python {
  std::string program;
  std::string version;  // "3.13"
};

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

// What a plugin cannot be built without, of what the Python says of itself.
base::Result<> require_parts(const std::string& program, const Json& said) {
  const std::string version = said.at("version"), library = said.at("library");
  if (said.at("implementation") != "cpython") {
    return base::fail(fmt::format("{} is no CPython", program));
  }
  if (!is_there(std::string(said.at("header")))) {
    return base::fail(fmt::format(
        "the headers of Python {} are missing ({}); install them, as with apt install python{}-dev",
        version, std::string(said.at("header")), version));
  }
  if (library.find(".so") == library.npos || !is_there(library)) {
    return base::fail(fmt::format(
        "{} has no shared library that could be loaded into another program; build Python {} with "
        "--enable-shared, or install its package libpython{}",
        program, version, version));
  }
  return {};
}

base::Result<Python> ask_python(const std::string& program) {
  PH_TRY(run, run_tool({program, "-I", "-c", kQuestion}));
  const Json said = Json::parse(run.output, nullptr, false);
  if (!run.succeeded || !said.is_object()) {
    return base::fail(fmt::format("{} is no Python that answers: {}", program, run.output));
  }
  PH_TRY_VOID(require_parts(program, said));
  return Python{program, said.at("version")};
}

bool is_source(const fs::path& folder) {
  return is_there(folder / "CMakeLists.txt") &&
         is_there(folder / "include/pyhost/gateway/plugin.h");
}

// That of an installation, or the checkout that this program was built in.
base::Result<std::string> find_source(const BuildPluginOptions& options) {
  if (!options.source.empty()) {
    if (is_source(options.source)) return fs::absolute(options.source).string();
    return base::fail(
        fmt::format("--source {} is not the source of mod_pyhost: it has no "
                    "include/pyhost/gateway/plugin.h",
                    options.source));
  }
  for (fs::path folder = plugin::folder_of_this_object(); folder.has_relative_path();
       folder = folder.parent_path()) {
    for (const fs::path& each : {folder / kInstalledSource, folder}) {
      if (is_source(each)) return each.string();
    }
  }
  return base::fail(
      "the source of mod_pyhost is needed: install the package pyhost-source, or name its folder "
      "with --source");
}

base::Result<std::string> find_output(const BuildPluginOptions& options) {
  if (!options.output.empty()) {
    if (access(options.output.c_str(), W_OK) == 0) return options.output;
    return base::fail(
        fmt::format("--output {} cannot be written to: {}", options.output, std::strerror(errno)));
  }
  PH_TRY(folder, serve::find_module_folder(PYHOST_MODULES_DIR));
  if (access(folder.c_str(), W_OK) == 0) return folder;
  return base::fail(fmt::format(
      "{} cannot be written to: {}; run this as root, or name another folder with --output", folder,
      std::strerror(errno)));
}

// A folder that goes when it is no longer needed.
class BuildFolder {
 public:
  static base::Result<BuildFolder> make() {
    std::error_code error;
    std::string pattern = fs::temp_directory_path(error) / "pyhost-plugin-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) {
      return base::fail(
          fmt::format("a temporary folder {} cannot be made: {}", pattern, std::strerror(errno)));
    }
    return BuildFolder(std::move(pattern));
  }
  BuildFolder(BuildFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  BuildFolder& operator=(BuildFolder&&) = delete;
  ~BuildFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }

  const std::string& path() const noexcept { return path_; }

 private:
  explicit BuildFolder(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

base::Result<> run_step(const std::vector<std::string>& arguments) {
  const auto run = run_tool(arguments);
  if (!run) {
    return base::fail(
        fmt::format("{}; to build a plugin, install cmake, ninja-build, g++, libfmt-dev, "
                    "libexpected-dev and zlib1g-dev",
                    run.error().sentence));
  }
  if (run->succeeded) return {};
  return base::fail(
      fmt::format("the build has failed; {} said:\n{}", arguments.front(), run->output));
}

base::Result<std::string> build(const Python& python, const std::string& source,
                                const std::string& folder) {
  PH_TRY_VOID(
      run_step({"cmake", "-S", source, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                "-DCMAKE_UNITY_BUILD=ON", "-DCMAKE_UNITY_BUILD_BATCH_SIZE=10",
                "-DBUILD_TESTING=OFF", "-DPYHOST_PART=plugin", "-DPYHOST_PYTHON=" + python.program,
                "-DPYHOST_MODULES_DIR=" + folder}));
  PH_TRY_VOID(run_step({"cmake", "--build", folder, "--target", "pyhost_cpython"}));
  return fmt::format("{}/pyhost-cpython-{}.so", folder, python.version);
}

// Whether the module will take it. In a process of its own, which the Python's library is for.
base::Result<> try_to_load(const std::string& path) {
  const pid_t child = fork();
  if (child == 0) {
    const auto plugin = plugin::load_plugin(path);
    if (!plugin) fmt::print(stderr, "pyhost: {}\n", plugin.error().sentence);
    std::fflush(stderr);
    _exit(plugin ? 0 : 1);
  }
  int status = 0;
  if (child > 0) waitpid(child, &status, 0);
  if (child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return base::fail(
      "the plugin was built, but cannot be used with this mod_pyhost: source and compiler have to "
      "be those that the module was built with");
}

// A module that looks meanwhile finds the old file or the whole new one.
base::Result<> put_in_place(const std::string& built, const fs::path& file) {
  const fs::path beside = file.string() + ".new";
  std::error_code error;
  fs::copy_file(built, beside, fs::copy_options::overwrite_existing, error);
  if (!error) fs::rename(beside, file, error);
  if (!error) return {};
  return base::fail(fmt::format("{} cannot be written: {}", file.string(), error.message()));
}

base::Result<> run(const BuildPluginOptions& options) {
  PH_TRY(python, ask_python(options.python));
  PH_TRY(source, find_source(options));
  PH_TRY(output, find_output(options));
  PH_TRY(folder, BuildFolder::make());
  fmt::print(stderr, "Building the plugin for Python {}, which takes a minute or two ...\n",
             python.version);
  PH_TRY(built, build(python, source, folder.path()));
  PH_TRY_VOID(try_to_load(built));
  const fs::path file = fs::path(output) / fs::path(built).filename();
  PH_TRY_VOID(put_in_place(built, file));
  fmt::print(
      "{}: for process groups with python={} or an environment of it, from the next "
      "restart of httpd on\n",
      file.string(), python.version);
  return {};
}

}  // namespace

int build_plugin(const BuildPluginOptions& options) {
  const auto done = run(options);
  if (done) return 0;
  fmt::print(stderr, "pyhost: {}\n", done.error().sentence);
  return 1;
}

}  // namespace pyhost::cli
