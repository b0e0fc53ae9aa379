// Which of the kernel's objects a thread belongs to.
#pragma once

namespace efl {

// Marks the calling thread, for the rest of its life, as one of `owner`.
void MarkThread(const void* owner);
bool OnThreadOf(const void* owner);

}  // namespace efl
