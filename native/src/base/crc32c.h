// CRC32C (Castagnoli), as iSCSI and gRPC's peers have it: of "123456789" it is 0xe3069283.
#pragma once

#include <cstddef>
#include <cstdint>

namespace efl {

// `crc`: of the bytes before these; 0 at first.
uint32_t Crc32c(const void* data, size_t size, uint32_t crc = 0);

// Copies, and takes the CRC32C while the bytes are in the cache. `past_cache`: what is written
// doesn't go through the cache.
uint32_t CopyCrc32c(void* to, const void* from, size_t size, uint32_t crc = 0,
                    bool past_cache = false);

// Whether a buffer of this size, written piece by piece, is better written past the cache: its
// beginning would leave the cache before its end is written, having been read from memory only to
// be overwritten.
bool OutgrowsCache(size_t size);

}  // namespace efl
