// Where Python runs.
#pragma once

namespace pyhost::pyapi {

enum class Place { httpd, worker };

}  // namespace pyhost::pyapi
