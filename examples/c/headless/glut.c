/*
 * GLUT without a window, on OpenGL without a screen (EGL): draws one frame at a given time, writes it, and ends.
 *
 *     program --frame SECONDS --ppm FILE [--size WIDTHxHEIGHT]
 *
 * What OpenGL itself draws is what Blink's picture of the same program is compared with.
 */
#define GL_GLEXT_PROTOTYPES
#include <GL/glut.h>

#include <GL/glext.h>

#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int width = 300;
static int height = 300;
static int forced_size;
static double frame;
static const char *file;

/* Milliseconds since the program began, as it sees them. */
static double now;

enum { MAX_TIMERS = 64 };

static struct timer {
    double at;
    void (*timer)(int);
    int value;
} timers[MAX_TIMERS];
static int timer_count;

static void (*display_function)(void);
static void (*reshape_function)(int, int);
static void (*idle_function)(void);

static void fail(const char *what)
{
    fprintf(stderr, "headless glut: %s\n", what);
    exit(1);
}

void glutInit(int *argc, char **argv)
{
    int from, to = 1;

    for (from = 1; from < *argc; from++) {
        if (strcmp(argv[from], "--frame") == 0 && from + 1 < *argc) {
            frame = atof(argv[++from]);
        } else if (strcmp(argv[from], "--ppm") == 0 && from + 1 < *argc) {
            file = argv[++from];
        } else if (strcmp(argv[from], "--size") == 0 && from + 1 < *argc) {
            if (sscanf(argv[++from], "%dx%d", &width, &height) != 2)
                fail("--size wants WIDTHxHEIGHT, such as 300x300");
            forced_size = 1;
        } else {
            argv[to++] = argv[from];
        }
    }
    *argc = to;
    argv[to] = NULL;
    if (file == NULL)
        fail("which moment, and into which file? --frame SECONDS --ppm FILE [--size WIDTHxHEIGHT]");
}

void glutInitDisplayMode(unsigned int mode)
{
    (void)mode; /* It has all of it. */
}

void glutInitWindowSize(int w, int h)
{
    if (!forced_size) {
        width = w;
        height = h;
    }
}

static EGLDisplay device_display(void)
{
    PFNEGLQUERYDEVICESEXTPROC query = (PFNEGLQUERYDEVICESEXTPROC)eglGetProcAddress("eglQueryDevicesEXT");
    PFNEGLGETPLATFORMDISPLAYEXTPROC get =
        (PFNEGLGETPLATFORMDISPLAYEXTPROC)eglGetProcAddress("eglGetPlatformDisplayEXT");
    EGLDeviceEXT devices[16];
    EGLint count = 0, i;

    if (query == NULL || get == NULL || !query(16, devices, &count))
        fail("EGL has no devices");
    for (i = 0; i < count; i++) {
        EGLDisplay display = get(EGL_PLATFORM_DEVICE_EXT, devices[i], NULL);
        if (display != EGL_NO_DISPLAY && eglInitialize(display, NULL, NULL))
            return display;
    }
    fail("no EGL device works");
    return EGL_NO_DISPLAY;
}

int glutCreateWindow(const char *title)
{
    static const EGLint wanted[] = {EGL_RENDERABLE_TYPE, EGL_OPENGL_BIT, EGL_SURFACE_TYPE, 0, EGL_NONE};
    EGLDisplay display = device_display();
    EGLConfig config;
    EGLContext context;
    EGLint count;
    GLuint framebuffer, buffers[2];

    (void)title;
    if (!eglBindAPI(EGL_OPENGL_API) || !eglChooseConfig(display, wanted, &config, 1, &count) || count < 1)
        fail("EGL has no OpenGL");
    context = eglCreateContext(display, config, EGL_NO_CONTEXT, NULL);
    if (context == EGL_NO_CONTEXT || !eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, context))
        fail("no OpenGL context without a surface");

    glGenFramebuffers(1, &framebuffer);
    glBindFramebuffer(GL_FRAMEBUFFER, framebuffer);
    glGenRenderbuffers(2, buffers);
    glBindRenderbuffer(GL_RENDERBUFFER, buffers[0]);
    glRenderbufferStorage(GL_RENDERBUFFER, GL_RGBA8, width, height);
    glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_RENDERBUFFER, buffers[0]);
    glBindRenderbuffer(GL_RENDERBUFFER, buffers[1]);
    glRenderbufferStorage(GL_RENDERBUFFER, GL_DEPTH24_STENCIL8, width, height);
    glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_DEPTH_STENCIL_ATTACHMENT, GL_RENDERBUFFER, buffers[1]);
    if (glCheckFramebufferStatus(GL_FRAMEBUFFER) != GL_FRAMEBUFFER_COMPLETE)
        fail("no framebuffer of this size");
    /* What a new window has. */
    glViewport(0, 0, width, height);
    glScissor(0, 0, width, height);
    return 1;
}

void glutDisplayFunc(void (*display)(void)) { display_function = display; }
void glutReshapeFunc(void (*reshape)(int, int)) { reshape_function = reshape; }
void glutIdleFunc(void (*idle)(void)) { idle_function = idle; }
void glutKeyboardFunc(void (*keyboard)(unsigned char, int, int)) { (void)keyboard; }
void glutSpecialFunc(void (*special)(int, int, int)) { (void)special; }
void glutMouseFunc(void (*mouse)(int, int, int, int)) { (void)mouse; }
void glutMotionFunc(void (*motion)(int, int)) { (void)motion; }
void glutPassiveMotionFunc(void (*motion)(int, int)) { (void)motion; }
void glutVisibilityFunc(void (*visibility)(int)) { (void)visibility; }
void glutInitWindowPosition(int x, int y) { (void)x, (void)y; }
void glutSetWindowTitle(const char *title) { (void)title; }

void glutTimerFunc(unsigned int milliseconds, void (*timer)(int), int value)
{
    if (timer_count == MAX_TIMERS)
        fail("too many timers");
    timers[timer_count].at = now + milliseconds;
    timers[timer_count].timer = timer;
    timers[timer_count].value = value;
    timer_count++;
}

/* Runs the timers until the frame, in their order. */
static void run_timers(void)
{
    for (;;) {
        int i, first = -1;
        struct timer due;

        for (i = 0; i < timer_count; i++)
            if (timers[i].at <= frame * 1000.0 && (first < 0 || timers[i].at < timers[first].at))
                first = i;
        if (first < 0)
            break;
        due = timers[first];
        timers[first] = timers[--timer_count];
        now = due.at;
        due.timer(due.value);
    }
    now = frame * 1000.0;
}

void glutPostRedisplay(void) {}
void glutSwapBuffers(void) { glFinish(); }

int glutGet(GLenum what)
{
    switch (what) {
    case GLUT_ELAPSED_TIME: return (int)(now + 0.5);
    case GLUT_WINDOW_WIDTH: return width;
    case GLUT_WINDOW_HEIGHT: return height;
    default: return 0;
    }
}

void glutMainLoop(void)
{
    unsigned char *pixels = malloc((size_t)width * (size_t)height * 3);
    GLenum error;
    FILE *out;
    int row;

    if (pixels == NULL)
        fail("no memory for the picture");
    if (reshape_function)
        reshape_function(width, height);
    else
        glViewport(0, 0, width, height);
    run_timers();
    if (idle_function)
        idle_function();
    if (display_function)
        display_function();
    while ((error = glGetError()) != GL_NO_ERROR)
        fprintf(stderr, "headless glut: OpenGL refused a call: %s\n", (const char *)gluErrorString(error));

    glPixelStorei(GL_PACK_ALIGNMENT, 1);
    glReadPixels(0, 0, width, height, GL_RGB, GL_UNSIGNED_BYTE, pixels);
    out = fopen(file, "wb");
    if (out == NULL)
        fail("the picture's file can't be written");
    fprintf(out, "P6\n%d %d\n255\n", width, height);
    for (row = height - 1; row >= 0; row--)
        fwrite(pixels + (size_t)row * (size_t)width * 3, 3, (size_t)width, out);
    if (fclose(out) != 0)
        fail("the picture's file can't be written");
    free(pixels);
    exit(0);
}
