/* Memory functions that put guard pages around each allocation, so that any access outside of it crashes.

   Compile as a shared library and load it with LD_PRELOAD; guarding begins with guard_memory(1). Allocations
   end (or, every second one, begin) at a page that cannot be accessed. Bytes left over by the alignment are
   filled with a canary, which is checked when the memory is freed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096UL
#define REGION (1UL << 38)
#define CANARY 0xA5
#define MAX_LIVE 25000 /* Linux allows 65530 mappings, and each allocation splits one in two. */

static char *region;
static struct slot { uint32_t size_low, size_high, n_pages; } *slots;
static atomic_ulong next_page = 1;
static atomic_long n_live;
static atomic_int guarding;
static void *(*real_malloc)(size_t), *(*real_calloc)(size_t, size_t), *(*real_realloc)(void *, size_t);
static void (*real_free)(void *);
static int (*real_memalign)(void **, size_t, size_t);
static size_t (*real_usable)(void *);
static char boot[1 << 16];
static size_t n_boot;

static void find_real(void)
{
    static int busy;
    if (real_malloc || busy) return;
    busy = 1;
    real_calloc = dlsym(RTLD_NEXT, "calloc");
    real_realloc = dlsym(RTLD_NEXT, "realloc");
    real_free = dlsym(RTLD_NEXT, "free");
    real_memalign = dlsym(RTLD_NEXT, "posix_memalign");
    real_usable = dlsym(RTLD_NEXT, "malloc_usable_size");
    real_malloc = dlsym(RTLD_NEXT, "malloc");
    busy = 0;
}

void guard_memory(int on)
{
    if (!region) {
        int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
        region = mmap(NULL, REGION, PROT_NONE, flags, -1, 0);
        slots = mmap(NULL, REGION / PAGE * sizeof *slots, PROT_READ | PROT_WRITE, flags, -1, 0);
        if (region == MAP_FAILED || slots == MAP_FAILED) abort();
    }
    guarding = on;
}

long guarded_allocations(void) { return (long)next_page; }

static int is_guarded(const void *p) { return region && (char *)p >= region && (char *)p < region + REGION; }

static struct slot *slot_of(const void *p) { return &slots[((char *)p - region) / PAGE]; }

static size_t size_of(const struct slot *s) { return ((size_t)s->size_high << 32) | s->size_low; }

static void *guarded_alloc(size_t size, size_t align)
{
    size_t n_pages = (size + PAGE - 1) / PAGE + !size;
    if (!guarding || align > PAGE || size > (REGION >> 4) || n_live > MAX_LIVE) return NULL;
    unsigned long first = atomic_fetch_add(&next_page, n_pages + 1);
    if ((first + n_pages + 1) * PAGE > REGION) return NULL;
    char *start = region + first * PAGE;
    if (mprotect(start, n_pages * PAGE, PROT_READ | PROT_WRITE)) return NULL;
    n_live++;
    size_t place = first & 1 ? 0 : (n_pages * PAGE - size) / align * align;
    memset(start, CANARY, n_pages * PAGE);
    struct slot *s = slot_of(start + place);
    /* The pointer is in the first page of the allocation, or in the last byte of it for empty ones. */
    s->size_low = (uint32_t)size, s->size_high = (uint32_t)(size >> 32), s->n_pages = (uint32_t)n_pages;
    return start + place;
}

static void guarded_free(char *p)
{
    struct slot *s = slot_of(p);
    size_t size = size_of(s), n_pages = s->n_pages;
    char *end = (char *)(((uintptr_t)p + size + PAGE - 1) / PAGE * PAGE);
    char *start = (char *)((uintptr_t)p / PAGE * PAGE);
    for (char *c = start; c < p; c++) if ((unsigned char)*c != CANARY) abort();
    for (char *c = p + size; c < end; c++) if ((unsigned char)*c != CANARY) abort();
    madvise(start, n_pages * PAGE, MADV_DONTNEED);
    mprotect(start, n_pages * PAGE, PROT_NONE);
    n_live--;
}

void *malloc(size_t size)
{
    find_real();
    void *p = guarded_alloc(size, 16);
    if (p) return p;
    if (real_malloc) return real_malloc(size);
    p = boot + n_boot;
    n_boot += (size + 15) / 16 * 16;
    return n_boot <= sizeof boot ? p : NULL;
}

void *calloc(size_t n, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(n, size, &total)) { errno = ENOMEM; return NULL; }
    find_real();
    void *p = guarded_alloc(total, 16);
    if (p) return memset(p, 0, total);
    if (real_calloc) return real_calloc(n, size);
    p = malloc(total);
    return p ? memset(p, 0, total) : NULL;
}

void free(void *p)
{
    if (!p || ((char *)p >= boot && (char *)p < boot + sizeof boot)) return;
    if (is_guarded(p)) guarded_free(p);
    else { find_real(); real_free(p); }
}

size_t malloc_usable_size(void *p)
{
    if (!p) return 0;
    return is_guarded(p) ? size_of(slot_of(p)) : real_usable(p);
}

void *realloc(void *p, size_t size)
{
    find_real();
    if (!p) return malloc(size);
    if (!is_guarded(p)) {
        void *moved = guarding ? guarded_alloc(size, 16) : NULL;
        if (!moved) return real_realloc(p, size);
        size_t old = malloc_usable_size(p);
        memcpy(moved, p, old < size ? old : size);
        free(p);
        return moved;
    }
    void *moved = malloc(size);
    if (!moved) return NULL;
    size_t old = size_of(slot_of(p));
    memcpy(moved, p, old < size ? old : size);
    guarded_free(p);
    return moved;
}

int posix_memalign(void **out, size_t align, size_t size)
{
    find_real();
    void *p = guarded_alloc(size, align < 16 ? 16 : align);
    if (p) { *out = p; return 0; }
    return real_memalign(out, align, size);
}

void *aligned_alloc(size_t align, size_t size)
{
    void *p = NULL;
    int error = posix_memalign(&p, align < sizeof(void *) ? sizeof(void *) : align, size);
    if (error) errno = error;
    return error ? NULL : p;
}

void *memalign(size_t align, size_t size) { return aligned_alloc(align, size); }
