/*
 * The part of GLUT that demos use, over a Blink window. Include it in place of <GL/glut.h>, and link with libblinkgl.
 *
 * WHAT BECOMES OF A GLUT PROGRAM
 *
 * Each time GLUT would call the display function, it is called and recorded into the window's redraw procedure; if it
 * records what it recorded before, nothing is sent. The reshape function becomes the reshape procedure. OpenGL calls
 * outside of both become the init procedure, in the order in which they are made.
 *
 * Differences:
 *
 * - The state that the display function leaves is dropped; the next one begins with what is set outside of it. Matrix
 *   mode and active texture unit are carried over as in GLUT. A display function that sets what it needs, and takes back what
 *   it pushes, notices nothing; one that turns the matrix a bit further each time does: set the matrix from a variable.
 * - Drawing happens in the display function (and in display lists) only. Each picture begins with glClear.
 * - Display lists that the display function defines are defined once, before the picture.
 * - OpenGL calls outside of the display and reshape functions come before those of the reshape function, also if they
 *   are made later. They are kept for as long as the window lives, because a server that restarts needs
 *   them: a program that makes many of them for each picture comes to the end of its procedure's room, and is told.
 * - The idle function is called once for each picture that was shown, or 60 times a second while nothing new is; for a hidden
 *   window ten times. A program whose display function uses registers (blinkTimeMod, blinkRequestFrame) needs none:
 *   the server animates it.
 * - There is one window. Menus, subwindows, full screen and fonts are not there, nor is the teapot.
 * - Keys are those of a US keyboard.
 *
 * The program ends with status 0 when its window is closed, and by SIGINT as any program. glutInit takes
 * `--frame SECONDS` from the command line: GLUT_ELAPSED_TIME and blinkTimeMod then stand still at that time, for tests;
 * and `-geometry WIDTHxHEIGHT+X+Y`, which goes before the size and place that the program asks for.
 */
#ifndef BLINKGLUT_H
#define BLINKGLUT_H

#include <blinkgl.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GLUT_API_VERSION 4

/* Display modes. A window has all of it, whatever is asked for. */
#define GLUT_RGB 0
#define GLUT_RGBA 0
#define GLUT_SINGLE 0
#define GLUT_DOUBLE 2
#define GLUT_ALPHA 8
#define GLUT_DEPTH 16
#define GLUT_STENCIL 32

#define GLUT_LEFT_BUTTON 0
#define GLUT_MIDDLE_BUTTON 1
#define GLUT_RIGHT_BUTTON 2
/* The wheel: 3 away from the user, 4 towards. */
#define GLUT_DOWN 0
#define GLUT_UP 1
#define GLUT_NOT_VISIBLE 0
#define GLUT_VISIBLE 1

#define GLUT_KEY_F1 1
#define GLUT_KEY_F2 2
#define GLUT_KEY_F3 3
#define GLUT_KEY_F4 4
#define GLUT_KEY_F5 5
#define GLUT_KEY_F6 6
#define GLUT_KEY_F7 7
#define GLUT_KEY_F8 8
#define GLUT_KEY_F9 9
#define GLUT_KEY_F10 10
#define GLUT_KEY_F11 11
#define GLUT_KEY_F12 12
#define GLUT_KEY_LEFT 100
#define GLUT_KEY_UP 101
#define GLUT_KEY_RIGHT 102
#define GLUT_KEY_DOWN 103
#define GLUT_KEY_PAGE_UP 104
#define GLUT_KEY_PAGE_DOWN 105
#define GLUT_KEY_HOME 106
#define GLUT_KEY_END 107
#define GLUT_KEY_INSERT 108

#define GLUT_ACTIVE_SHIFT 1
#define GLUT_ACTIVE_CTRL 2
#define GLUT_ACTIVE_ALT 4

/* For glutGet. */
#define GLUT_WINDOW_WIDTH 102
#define GLUT_WINDOW_HEIGHT 103
#define GLUT_WINDOW_STENCIL_SIZE 105
#define GLUT_WINDOW_DEPTH_SIZE 106
#define GLUT_WINDOW_DOUBLEBUFFER 115
#define GLUT_WINDOW_RGBA 116
#define GLUT_ELAPSED_TIME 700

void glutInit(int *argcp, char **argv);
void glutInitDisplayMode(unsigned int mode);
void glutInitWindowSize(int width, int height);
void glutInitWindowPosition(int x, int y);
/* Ends the program if there is no server. */
int glutCreateWindow(const char *title);
void glutDestroyWindow(int window);
int glutGetWindow(void);
void glutSetWindow(int window);
void glutSetWindowTitle(const char *title);
void glutReshapeWindow(int width, int height);
void glutMainLoop(void);
void glutPostRedisplay(void);
void glutSwapBuffers(void);
int glutGet(GLenum type);
int glutGetModifiers(void);

void glutDisplayFunc(void (*func)(void));
void glutReshapeFunc(void (*func)(int width, int height));
void glutIdleFunc(void (*func)(void));
void glutTimerFunc(unsigned int millis, void (*func)(int value), int value);
void glutKeyboardFunc(void (*func)(unsigned char key, int x, int y));
void glutKeyboardUpFunc(void (*func)(unsigned char key, int x, int y));
void glutSpecialFunc(void (*func)(int key, int x, int y));
void glutSpecialUpFunc(void (*func)(int key, int x, int y));
void glutMouseFunc(void (*func)(int button, int state, int x, int y));
void glutMotionFunc(void (*func)(int x, int y));
void glutPassiveMotionFunc(void (*func)(int x, int y));
void glutVisibilityFunc(void (*func)(int state));

/* Spheres and cones have GLU's vertices. */
void glutSolidCube(double size);
void glutWireCube(double size);
void glutSolidSphere(double radius, GLint slices, GLint stacks);
void glutWireSphere(double radius, GLint slices, GLint stacks);
void glutSolidCone(double base, double height, GLint slices, GLint stacks);
void glutWireCone(double base, double height, GLint slices, GLint stacks);
void glutSolidTorus(double inner, double outer, GLint sides, GLint rings);
void glutWireTorus(double inner, double outer, GLint sides, GLint rings);

#ifdef __cplusplus
}
#endif

#endif
