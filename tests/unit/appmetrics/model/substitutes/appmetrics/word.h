// In place of src/appmetrics/word.h: a word whose every use is a step of the model.
#pragma once

#include "scoreboard/word.h"

namespace pyhost::appmetrics {

using scoreboard::Word;

}  // namespace pyhost::appmetrics
