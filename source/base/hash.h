// Hashes whose values others must be able to compute too: consistent hashing agrees with other proxies only when the
// numbers are the same. Not for secrets, and not for hash tables that strangers fill.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice {

// XXH64 (xxHash by Yann Collet, the 64-bit variant). Thread: any.
uint64_t xxhash64(std::string_view text, uint64_t seed = 0);

// MurmurHash64A by Austin Appleby, with the seed that Envoy takes. Thread: any.
uint64_t murmur_hash2(std::string_view text, uint64_t seed = 0xc70f6907);

}  // namespace sluice
