// Runs a fuzz target on files, for builds without libFuzzer: each file of the folders (or each file) that are given.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

size_t run(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) {
    size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      files += run(entry.path());
    }
    return files;
  }
  std::ifstream in(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  // Exactly as much memory as there are bytes, so that a read behind them is seen.
  const std::vector<uint8_t> copy(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(copy.data(), copy.size());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  size_t files = 0;
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::exists(argv[i])) {
      std::fprintf(stderr, "%s does not exist\n", argv[i]);
      return 1;
    }
    files += run(argv[i]);
  }
  std::printf("%zu inputs\n", files);
  return files > 0 ? 0 : 1;
}
