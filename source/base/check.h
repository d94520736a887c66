// Assertions about our own code. A peer, a file or a control plane can never trip one: bad input is an error value.
//
// CHECK   always on: the process must not go on with a broken invariant (it aborts, with file and line).
// DCHECK  in builds without NDEBUG only: for invariants on the hot path.
#pragma once

namespace sluice {

[[noreturn]] void check_failed(const char* expression, const char* file, int line);

}  // namespace sluice

#define SLUICE_CHECK(expr) \
  (__builtin_expect(!!(expr), 1) ? (void)0 : ::sluice::check_failed(#expr, __FILE__, __LINE__))
#ifdef NDEBUG
#define SLUICE_DCHECK(expr) ((void)sizeof(!(expr)))
#else
#define SLUICE_DCHECK(expr) SLUICE_CHECK(expr)
#endif
