#include "remote/spool_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace pyhost::remote {

tl::unexpected<base::Error> SpoolFile::refused(const char* what) const {
  return base::fail(
      fmt::format("a temporary file in {} cannot be {}: {}", folder_, what, std::strerror(errno)));
}

base::Result<> SpoolFile::open(const std::string& folder) {
  constexpr mode_t kOwnerOnly = 0600;
  folder_ = folder;
  fd_.reset(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, kOwnerOnly));
  if (fd_.valid()) return {};
  // A filesystem, or a system, without files that have no name.
  std::string path = folder + "/pyhost-body-XXXXXX";
  fd_.reset(::mkostemp(path.data(), O_CLOEXEC));
  if (!fd_.valid()) return refused("made");
  ::unlink(path.c_str());
  return {};
}

base::Result<> SpoolFile::write(std::uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written =
        ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return refused("written");
    offset += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

base::Result<std::size_t> SpoolFile::read(std::uint64_t offset, std::span<char> into) const {
  std::size_t bytes = 0;
  while (bytes < into.size()) {
    const ssize_t got = ::pread(fd_.get(), into.data() + bytes, into.size() - bytes,
                                static_cast<off_t>(offset + bytes));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return refused("read");
    if (got == 0) break;
    bytes += static_cast<std::size_t>(got);
  }
  return bytes;
}

}  // namespace pyhost::remote
