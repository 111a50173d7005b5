/* The part of GLUT that the examples use, without a window: see ../glut.c. */
#ifndef BLINK_HEADLESS_GLUT_H
#define BLINK_HEADLESS_GLUT_H

/* Buffers and multitexture are calls of OpenGL 1.5, which the first header declares if asked to. */
#ifndef GL_GLEXT_PROTOTYPES
#define GL_GLEXT_PROTOTYPES
#endif
#include <GL/gl.h>
#include <GL/glu.h>

#define GLUT_RGB 0
#define GLUT_DOUBLE 2
#define GLUT_DEPTH 16
#define GLUT_STENCIL 32
#define GLUT_ELAPSED_TIME 700
#define GLUT_WINDOW_WIDTH 102
#define GLUT_WINDOW_HEIGHT 103
#define GLUT_KEY_LEFT 100
#define GLUT_KEY_UP 101
#define GLUT_KEY_RIGHT 102
#define GLUT_KEY_DOWN 103

void glutInit(int *argc, char **argv);
void glutInitDisplayMode(unsigned int mode);
void glutInitWindowSize(int width, int height);
int glutCreateWindow(const char *title);
void glutDisplayFunc(void (*display)(void));
void glutReshapeFunc(void (*reshape)(int width, int height));
void glutIdleFunc(void (*idle)(void));
void glutKeyboardFunc(void (*keyboard)(unsigned char key, int x, int y));
void glutSpecialFunc(void (*special)(int key, int x, int y));
/* Nobody moves a mouse here. */
void glutMouseFunc(void (*mouse)(int button, int state, int x, int y));
void glutMotionFunc(void (*motion)(int x, int y));
void glutPassiveMotionFunc(void (*motion)(int x, int y));
void glutVisibilityFunc(void (*visibility)(int state));
void glutInitWindowPosition(int x, int y);
void glutSetWindowTitle(const char *title);
/* Those that are due before the frame are called, each once it is due. */
void glutTimerFunc(unsigned int milliseconds, void (*timer)(int value), int value);
void glutPostRedisplay(void);
void glutSwapBuffers(void);
int glutGet(GLenum what);
void glutMainLoop(void);

#endif
