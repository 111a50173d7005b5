//! From the state in which a PVH loader starts a kernel (32-bit protected mode, no paging) to 64-bit Rust.
//!
//! QEMU takes a file for such a kernel by its note. The page tables map the first 4 GiB to themselves, in pages of
//! 2 MiB, and have a directory for [a window](crate::mmu) above.

use core::arch::global_asm;

global_asm!(
    r#"
    .section .note.pvh, "a", @note
    .balign 4
    .long 4, 8, 18                      /* of the name, of the value, XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .quad pvh_start

    .section .boot, "ax", @progbits
    .code32
    .global pvh_start
pvh_start:
    cli
    cld
    mov esp, offset stack_end
    mov ebp, ebx                        /* address of the start information */

    mov eax, offset pointers + 3        /* present, writable */
    mov [root], eax
    mov eax, offset directories + 3
    xor ecx, ecx
1:  mov [pointers + ecx * 8], eax
    add eax, 4096
    inc ecx
    cmp ecx, 5
    jne 1b

    mov eax, 0x83                       /* present, writable, 2 MiB */
    xor ecx, ecx
2:  mov [directories + ecx * 8], eax
    add eax, 0x200000
    inc ecx
    cmp ecx, 4 * 512
    jne 2b

    mov eax, offset root
    mov cr3, eax
    mov eax, cr4
    or eax, 0x620                       /* physical address extension, SSE and its exceptions */
    mov cr4, eax
    mov ecx, 0xc0000080                 /* EFER */
    rdmsr
    or eax, 0x100                       /* long mode */
    wrmsr
    mov eax, cr0
    and eax, 0xfffffff3                 /* no emulation of floating point, no task switched */
    or eax, 0x80000022                  /* paging, monitored coprocessor, numeric errors */
    mov cr0, eax
    lgdt [gdt_pointer]
    push 8
    mov eax, offset long_mode
    push eax
    retf

    .code64
long_mode:
    mov eax, 16
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov edi, ebp
    call main
    ud2

    .balign 8
gdt:
    .quad 0, 0x00af9a000000ffff, 0x00cf92000000ffff
gdt_pointer:
    .word 23
    .long gdt

    .section .bss.boot, "aw", @nobits
    .balign 4096
root:
    .skip 4096
pointers:
    .skip 4096
directories:
    .skip 4 * 4096
    .global window_directory
window_directory:
    .skip 4096
    .skip 128 * 1024
stack_end:
    .text
"#
);
