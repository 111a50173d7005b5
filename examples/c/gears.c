/*
 * The classic three gears: geometry, light, colors, view and angles as in the program that every OpenGL installation has.
 *
 * Builds against OpenGL with GLUT, and against Blink. For OpenGL an idle function draws each picture anew. For Blink the
 * angle is in a register, a function of the time at which a picture is shown: the display function is recorded once, and
 * the server turns the gears without the program. (Built with -DGEARS_IDLE, it is the OpenGL program on Blink too.)
 */
#ifdef BLINKGL
#include <blinkglut.h>
#else
#include <GL/glut.h>
#endif

#include <math.h>
#include <stdlib.h>

#ifndef M_PI
#define M_PI 3.14159265358979323846
#endif

#if defined(BLINKGL) && !defined(GEARS_IDLE)
#define ANGLE_IN_REGISTER
#endif

/* Degrees that the first gear turns in a second. */
#define SPEED 70.0

static GLfloat view_x = 20.0f, view_y = 30.0f;
static GLuint gears[3];

/* A gear's faces, flat, and its hole, smooth. */
static void gear(double inner, double outer, double width, int teeth, double depth)
{
    double root = outer - depth / 2.0, tip = outer + depth / 2.0, step = 2.0 * M_PI / teeth / 4.0;
    double front = width * 0.5, back = -front;
    int i;

    glShadeModel(GL_FLAT);
    glNormal3f(0.0f, 0.0f, 1.0f);
    glBegin(GL_QUAD_STRIP);
    for (i = 0; i <= teeth; i++) {
        double angle = i * 2.0 * M_PI / teeth;
        glVertex3d(inner * cos(angle), inner * sin(angle), front);
        glVertex3d(root * cos(angle), root * sin(angle), front);
        if (i < teeth) {
            glVertex3d(inner * cos(angle), inner * sin(angle), front);
            glVertex3d(root * cos(angle + 3 * step), root * sin(angle + 3 * step), front);
        }
    }
    glEnd();
    glBegin(GL_QUADS);
    for (i = 0; i < teeth; i++) {
        double angle = i * 2.0 * M_PI / teeth;
        glVertex3d(root * cos(angle), root * sin(angle), front);
        glVertex3d(tip * cos(angle + step), tip * sin(angle + step), front);
        glVertex3d(tip * cos(angle + 2 * step), tip * sin(angle + 2 * step), front);
        glVertex3d(root * cos(angle + 3 * step), root * sin(angle + 3 * step), front);
    }
    glEnd();

    glNormal3f(0.0f, 0.0f, -1.0f);
    glBegin(GL_QUAD_STRIP);
    for (i = 0; i <= teeth; i++) {
        double angle = i * 2.0 * M_PI / teeth;
        glVertex3d(root * cos(angle), root * sin(angle), back);
        glVertex3d(inner * cos(angle), inner * sin(angle), back);
        if (i < teeth) {
            glVertex3d(root * cos(angle + 3 * step), root * sin(angle + 3 * step), back);
            glVertex3d(inner * cos(angle), inner * sin(angle), back);
        }
    }
    glEnd();
    glBegin(GL_QUADS);
    for (i = 0; i < teeth; i++) {
        double angle = i * 2.0 * M_PI / teeth;
        glVertex3d(root * cos(angle + 3 * step), root * sin(angle + 3 * step), back);
        glVertex3d(tip * cos(angle + 2 * step), tip * sin(angle + 2 * step), back);
        glVertex3d(tip * cos(angle + step), tip * sin(angle + step), back);
        glVertex3d(root * cos(angle), root * sin(angle), back);
    }
    glEnd();

    /* The outward sides of the teeth. */
    glBegin(GL_QUAD_STRIP);
    for (i = 0; i < teeth; i++) {
        double angle = i * 2.0 * M_PI / teeth, u, v, length;
        glVertex3d(root * cos(angle), root * sin(angle), front);
        glVertex3d(root * cos(angle), root * sin(angle), back);
        u = tip * cos(angle + step) - root * cos(angle);
        v = tip * sin(angle + step) - root * sin(angle);
        length = sqrt(u * u + v * v);
        glNormal3d(v / length, -u / length, 0.0);
        glVertex3d(tip * cos(angle + step), tip * sin(angle + step), front);
        glVertex3d(tip * cos(angle + step), tip * sin(angle + step), back);
        glNormal3d(cos(angle), sin(angle), 0.0);
        glVertex3d(tip * cos(angle + 2 * step), tip * sin(angle + 2 * step), front);
        glVertex3d(tip * cos(angle + 2 * step), tip * sin(angle + 2 * step), back);
        u = root * cos(angle + 3 * step) - tip * cos(angle + 2 * step);
        v = root * sin(angle + 3 * step) - tip * sin(angle + 2 * step);
        length = sqrt(u * u + v * v);
        glNormal3d(v / length, -u / length, 0.0);
        glVertex3d(root * cos(angle + 3 * step), root * sin(angle + 3 * step), front);
        glVertex3d(root * cos(angle + 3 * step), root * sin(angle + 3 * step), back);
        glNormal3d(cos(angle), sin(angle), 0.0);
    }
    glVertex3d(root, 0.0, front);
    glVertex3d(root, 0.0, back);
    glEnd();

    glShadeModel(GL_SMOOTH);
    glBegin(GL_QUAD_STRIP);
    for (i = 0; i <= teeth; i++) {
        double angle = i * 2.0 * M_PI / teeth;
        glNormal3d(-cos(angle), -sin(angle), 0.0);
        glVertex3d(inner * cos(angle), inner * sin(angle), back);
        glVertex3d(inner * cos(angle), inner * sin(angle), front);
    }
    glEnd();
}

static void init(void)
{
    static const GLfloat sun[4] = {5.0f, 5.0f, 10.0f, 0.0f};
    static const GLfloat red[4] = {0.8f, 0.1f, 0.0f, 1.0f};
    static const GLfloat green[4] = {0.0f, 0.8f, 0.2f, 1.0f};
    static const GLfloat blue[4] = {0.2f, 0.2f, 1.0f, 1.0f};

    glLightfv(GL_LIGHT0, GL_POSITION, sun);
    glEnable(GL_CULL_FACE);
    glEnable(GL_LIGHTING);
    glEnable(GL_LIGHT0);
    glEnable(GL_DEPTH_TEST);
    glEnable(GL_NORMALIZE);

    gears[0] = glGenLists(1);
    glNewList(gears[0], GL_COMPILE);
    glMaterialfv(GL_FRONT, GL_AMBIENT_AND_DIFFUSE, red);
    gear(1.0, 4.0, 1.0, 20, 0.7);
    glEndList();

    gears[1] = glGenLists(1);
    glNewList(gears[1], GL_COMPILE);
    glMaterialfv(GL_FRONT, GL_AMBIENT_AND_DIFFUSE, green);
    gear(0.5, 2.0, 2.0, 10, 0.7);
    glEndList();

    gears[2] = glGenLists(1);
    glNewList(gears[2], GL_COMPILE);
    glMaterialfv(GL_FRONT, GL_AMBIENT_AND_DIFFUSE, blue);
    gear(1.3, 2.0, 0.5, 10, 0.7);
    glEndList();
}

static void reshape(int width, int height)
{
    GLdouble h = width > 0 ? (GLdouble)height / width : 1.0;

    glViewport(0, 0, width, height);
    glMatrixMode(GL_PROJECTION);
    glLoadIdentity();
    glFrustum(-1.0, 1.0, -h, h, 5.0, 60.0);
    glMatrixMode(GL_MODELVIEW);
    glLoadIdentity();
    glTranslatef(0.0f, 0.0f, -40.0f);
}

/* Turns by the first gear's angle * ratio + phase, about z. */
static void turn(double ratio, double phase)
{
#ifdef ANGLE_IN_REGISTER
    enum { ANGLE = 0, OWN = 1 };
    blinkTimeMod(ANGLE, blinkConst(360.0 / SPEED));
    blinkMul(OWN, blinkReg(ANGLE), blinkConst(SPEED * ratio));
    blinkAdd(OWN, blinkReg(OWN), blinkConst(phase));
    glRotatef_r(blinkReg(OWN), blinkConst(0.0), blinkConst(0.0), blinkConst(1.0));
#else
    double angle = fmod(glutGet(GLUT_ELAPSED_TIME) / 1000.0 * SPEED, 360.0);
    glRotatef((GLfloat)(angle * ratio + phase), 0.0f, 0.0f, 1.0f);
#endif
}

static void placed(int i, GLfloat x, GLfloat y, double ratio, double phase)
{
    glPushMatrix();
    glTranslatef(x, y, 0.0f);
    turn(ratio, phase);
    glCallList(gears[i]);
    glPopMatrix();
}

static void display(void)
{
    glClear(GL_COLOR_BUFFER_BIT | GL_DEPTH_BUFFER_BIT);
    glPushMatrix();
    glRotatef(view_x, 1.0f, 0.0f, 0.0f);
    glRotatef(view_y, 0.0f, 1.0f, 0.0f);
    placed(0, -3.0f, -2.0f, 1.0, 0.0);
    placed(1, 3.1f, -2.0f, -2.0, -9.0);
    placed(2, -3.1f, 4.2f, -2.0, -25.0);
    glPopMatrix();
#ifdef ANGLE_IN_REGISTER
    blinkRequestFrame();
#endif
    glutSwapBuffers();
}

static void special(int key, int x, int y)
{
    (void)x;
    (void)y;
    switch (key) {
    case GLUT_KEY_LEFT: view_y += 5.0f; break;
    case GLUT_KEY_RIGHT: view_y -= 5.0f; break;
    case GLUT_KEY_UP: view_x += 5.0f; break;
    case GLUT_KEY_DOWN: view_x -= 5.0f; break;
    default: return;
    }
    glutPostRedisplay();
}

static void keyboard(unsigned char key, int x, int y)
{
    (void)x;
    (void)y;
    if (key == 27)
        exit(0);
}

int main(int argc, char **argv)
{
    glutInit(&argc, argv);
    glutInitDisplayMode(GLUT_RGB | GLUT_DOUBLE | GLUT_DEPTH);
    glutInitWindowSize(300, 300);
    glutCreateWindow("Gears in C");
    init();
    glutDisplayFunc(display);
    glutReshapeFunc(reshape);
    glutSpecialFunc(special);
    glutKeyboardFunc(keyboard);
#ifndef ANGLE_IN_REGISTER
    glutIdleFunc(glutPostRedisplay);
#endif
    glutMainLoop();
    return 0;
}
