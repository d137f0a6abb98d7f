// A shared object that does not export what a plugin exports.
extern "C" [[gnu::visibility("default")]] int something_else() {
  return 0;
}
