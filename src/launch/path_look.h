// Whether a user can reach a path, and what of it refuses if not.
#pragma once

#include <optional>
#include <string>

namespace pyhost::launch {

struct PathLook {
  enum class Need {
    seen,    // to be found, by whoever is to say whether it is there
    read,    // a file to be read
    folder,  // to be listed
  };

  std::string path;  // absolute
  Need need = Need::read;
};

// With the rights that the process has at the moment. Nothing when they suffice; otherwise the
// first part of the path that is in the way: "the folder /home/shop is closed", "/srv/shop.wsgi
// does not exist". A path may go on behind a file, as URLs do.
std::optional<std::string> refusal_of(const PathLook& look);

}  // namespace pyhost::launch
