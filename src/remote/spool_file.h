// An unlinked temporary file for what does not fit in memory.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::remote {

// Nothing is left of it when it goes, or when the process dies. Not synchronised. Errors name the
// folder and have the system's reason.
class SpoolFile {
 public:
  // Replaces what was open.
  base::Result<> open(const std::string& folder);
  void close() noexcept { fd_.reset(); }

  bool is_open() const noexcept { return fd_.valid(); }
  int fd() const noexcept { return fd_.get(); }

  // PRECONDITION of both: is_open().
  base::Result<> write(std::uint64_t offset, std::string_view bytes);
  // Fewer bytes than asked for at the end of the file only.
  base::Result<std::size_t> read(std::uint64_t offset, std::span<char> into) const;

 private:
  tl::unexpected<base::Error> refused(const char* what) const;

  base::UniqueFd fd_;
  std::string folder_;
};

}  // namespace pyhost::remote
