/*
 * Textures and vertex arrays: a checked floor with mipmaps, drawn from a buffer; boxes with two textures, drawn from the
 * program's memory; and a ball that mirrors its surroundings by a sphere map.
 *
 * Builds against OpenGL with GLUT, and against Blink.
 */
#ifdef BLINKGL
#include <blinkglut.h>
#else
#include <GL/glut.h>
#endif

#include <math.h>
#include <stdlib.h>

enum { CHECKS, WOOD, SPOT, SKY, TEXTURES };
enum { FLOOR_SIDE = 12, CHECK_SIDE = 64 };

static GLuint textures[TEXTURES], buffers[2];
static GLUquadric *quadric;

/* A number from 0 to 255 that looks like chance. */
static int noise(int x, int y)
{
    unsigned int n = (unsigned int)x * 374761393u + (unsigned int)y * 668265263u;
    n = (n ^ (n >> 13)) * 1274126177u;
    return (int)((n ^ (n >> 16)) & 255);
}

static void make_textures(void)
{
    static GLubyte checks[CHECK_SIDE][CHECK_SIDE][3], wood[32][48][4], spot[32][30], sky[64][64][3];
    int x, y;

    for (y = 0; y < CHECK_SIDE; y++) {
        for (x = 0; x < CHECK_SIDE; x++) {
            GLubyte value = ((x / 8 + y / 8) % 2) ? 220 : 60;
            checks[y][x][0] = value;
            checks[y][x][1] = (GLubyte)(value - 20);
            checks[y][x][2] = (GLubyte)(x * 3);
        }
    }
    /* BGRA, and in rows that are longer than the image. */
    for (y = 0; y < 32; y++) {
        for (x = 0; x < 48; x++) {
            int ring = (int)(40.0 * sin(x * 0.7 + y * 0.05)) + noise(x, y) / 8;
            wood[y][x][0] = (GLubyte)(40 + ring / 2);
            wood[y][x][1] = (GLubyte)(90 + ring);
            wood[y][x][2] = (GLubyte)(150 + ring);
            wood[y][x][3] = 255;
        }
    }
    /* Rows of 30 bytes: with an alignment of 1. */
    for (y = 0; y < 32; y++) {
        for (x = 0; x < 30; x++) {
            double dx = x - 14.5, dy = y - 15.5, d = sqrt(dx * dx + dy * dy) / 15.0;
            spot[y][x] = (GLubyte)(d < 1.0 ? 255.0 - 175.0 * d : 80.0);
        }
    }
    for (y = 0; y < 64; y++) {
        for (x = 0; x < 64; x++) {
            sky[y][x][0] = (GLubyte)(y < 30 ? 90 : 120 + y);
            sky[y][x][1] = (GLubyte)(y < 30 ? 70 : 150 + y);
            sky[y][x][2] = (GLubyte)(y < 30 ? 50 : 230);
        }
    }

    glGenTextures(TEXTURES, textures);
    glBindTexture(GL_TEXTURE_2D, textures[CHECKS]);
    gluBuild2DMipmaps(GL_TEXTURE_2D, GL_RGB, CHECK_SIDE, CHECK_SIDE, GL_RGB, GL_UNSIGNED_BYTE, checks);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_LINEAR_MIPMAP_LINEAR);

    glBindTexture(GL_TEXTURE_2D, textures[WOOD]);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_LINEAR);
    glPixelStorei(GL_UNPACK_ROW_LENGTH, 48);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 32, 32, 0, GL_BGRA, GL_UNSIGNED_BYTE, wood);
    glTexSubImage2D(GL_TEXTURE_2D, 0, 4, 8, 16, 8, GL_BGRA, GL_UNSIGNED_BYTE, wood[20] + 2);
    glPixelStorei(GL_UNPACK_ROW_LENGTH, 0);

    glBindTexture(GL_TEXTURE_2D, textures[SPOT]);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_LINEAR);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_S, GL_CLAMP_TO_EDGE);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_T, GL_CLAMP_TO_EDGE);
    glPixelStorei(GL_UNPACK_ALIGNMENT, 1);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_LUMINANCE, 30, 32, 0, GL_LUMINANCE, GL_UNSIGNED_BYTE, spot);
    glPixelStorei(GL_UNPACK_ALIGNMENT, 4);

    glBindTexture(GL_TEXTURE_2D, textures[SKY]);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_LINEAR);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGB, 64, 64, 0, GL_RGB, GL_UNSIGNED_BYTE, sky);
}

/* Places and texture coordinates of the floor's corners, and the triangles between them. */
static void make_buffers(void)
{
    static GLfloat corners[FLOOR_SIDE + 1][FLOOR_SIDE + 1][5];
    static GLushort triangles[FLOOR_SIDE][FLOOR_SIDE][6];
    GLfloat *corner;
    int x, z;

    for (z = 0; z <= FLOOR_SIDE; z++) {
        for (x = 0; x <= FLOOR_SIDE; x++) {
            corner = corners[z][x];
            corner[0] = (GLfloat)(x - FLOOR_SIDE / 2);
            corner[1] = (GLfloat)(0.15 * sin(x * 1.3) * cos(z * 0.9));
            corner[2] = (GLfloat)(z - FLOOR_SIDE + 4);
            corner[3] = x * 0.5f;
            corner[4] = z * 0.5f;
        }
    }
    for (z = 0; z < FLOOR_SIDE; z++) {
        for (x = 0; x < FLOOR_SIDE; x++) {
            GLushort first = (GLushort)(z * (FLOOR_SIDE + 1) + x), below = (GLushort)(first + FLOOR_SIDE + 1);
            GLushort *t = triangles[z][x];
            t[0] = first;
            t[1] = below;
            t[2] = t[3] = (GLushort)(first + 1);
            t[4] = below;
            t[5] = (GLushort)(below + 1);
        }
    }
    glGenBuffers(2, buffers);
    glBindBuffer(GL_ARRAY_BUFFER, buffers[0]);
    glBufferData(GL_ARRAY_BUFFER, sizeof corners, corners, GL_STATIC_DRAW);
    glBindBuffer(GL_ELEMENT_ARRAY_BUFFER, buffers[1]);
    glBufferData(GL_ELEMENT_ARRAY_BUFFER, sizeof triangles, triangles, GL_STATIC_DRAW);
    glBindBuffer(GL_ARRAY_BUFFER, 0);
    glBindBuffer(GL_ELEMENT_ARRAY_BUFFER, 0);
}

static void init(void)
{
    glClearColor(0.5f, 0.65f, 0.9f, 1.0f);
    glEnable(GL_DEPTH_TEST);
    glTexEnvi(GL_TEXTURE_ENV, GL_TEXTURE_ENV_MODE, GL_MODULATE);
    make_textures();
    make_buffers();
    quadric = gluNewQuadric();
}

static void reshape(int width, int height)
{
    glViewport(0, 0, width, height);
    glMatrixMode(GL_PROJECTION);
    glLoadIdentity();
    gluPerspective(50.0, height > 0 ? (double)width / height : 1.0, 0.5, 60.0);
    glMatrixMode(GL_MODELVIEW);
}

static void draw_floor(void)
{
    const GLfloat *none = NULL;

    glBindTexture(GL_TEXTURE_2D, textures[CHECKS]);
    glBindBuffer(GL_ARRAY_BUFFER, buffers[0]);
    glBindBuffer(GL_ELEMENT_ARRAY_BUFFER, buffers[1]);
    glEnableClientState(GL_VERTEX_ARRAY);
    glEnableClientState(GL_TEXTURE_COORD_ARRAY);
    glVertexPointer(3, GL_FLOAT, 5 * sizeof(GLfloat), none);
    glTexCoordPointer(2, GL_FLOAT, 5 * sizeof(GLfloat), none + 3);
    glColor3f(0.9f, 0.9f, 0.9f);
    glDrawElements(GL_TRIANGLES, FLOOR_SIDE * FLOOR_SIDE * 6, GL_UNSIGNED_SHORT, NULL);
    glDisableClientState(GL_TEXTURE_COORD_ARRAY);
    glDisableClientState(GL_VERTEX_ARRAY);
    glBindBuffer(GL_ARRAY_BUFFER, 0);
    glBindBuffer(GL_ELEMENT_ARRAY_BUFFER, 0);
}

/* A box's sides, from arrays in this program's memory: wood, and a spot of light over it. */
static void draw_box(void)
{
    static const GLshort places[16][3] = {
        {-1, 0, 1}, {1, 0, 1}, {1, 2, 1}, {-1, 2, 1}, {1, 0, 1}, {1, 0, -1}, {1, 2, -1}, {1, 2, 1},
        {1, 0, -1}, {-1, 0, -1}, {-1, 2, -1}, {1, 2, -1}, {-1, 0, -1}, {-1, 0, 1}, {-1, 2, 1}, {-1, 2, -1},
    };
    static const GLubyte colors[16][4] = {
        {255, 255, 255, 255}, {255, 255, 255, 255}, {255, 230, 200, 255}, {255, 230, 200, 255},
        {200, 200, 200, 255}, {200, 200, 200, 255}, {200, 180, 160, 255}, {200, 180, 160, 255},
        {150, 150, 150, 255}, {150, 150, 150, 255}, {150, 130, 120, 255}, {150, 130, 120, 255},
        {220, 220, 255, 255}, {220, 220, 255, 255}, {220, 200, 255, 255}, {220, 200, 255, 255},
    };
    static const GLfloat corners[16][2] = {
        {0, 0}, {1, 0}, {1, 1}, {0, 1}, {0, 0}, {1, 0}, {1, 1}, {0, 1},
        {0, 0}, {1, 0}, {1, 1}, {0, 1}, {0, 0}, {1, 0}, {1, 1}, {0, 1},
    };

    glBindTexture(GL_TEXTURE_2D, textures[WOOD]);
    glActiveTexture(GL_TEXTURE1);
    glEnable(GL_TEXTURE_2D);
    glBindTexture(GL_TEXTURE_2D, textures[SPOT]);
    glTexEnvi(GL_TEXTURE_ENV, GL_TEXTURE_ENV_MODE, GL_COMBINE);
    glTexEnvi(GL_TEXTURE_ENV, GL_COMBINE_RGB, GL_ADD_SIGNED);
    glEnableClientState(GL_VERTEX_ARRAY);
    glEnableClientState(GL_COLOR_ARRAY);
    glEnableClientState(GL_TEXTURE_COORD_ARRAY);
    glVertexPointer(3, GL_SHORT, 0, places);
    glColorPointer(4, GL_UNSIGNED_BYTE, 0, colors);
    glTexCoordPointer(2, GL_FLOAT, 0, corners);
    glClientActiveTexture(GL_TEXTURE1);
    glEnableClientState(GL_TEXTURE_COORD_ARRAY);
    glTexCoordPointer(2, GL_FLOAT, 0, corners);
    glDrawArrays(GL_QUADS, 0, 16);
    glDisableClientState(GL_TEXTURE_COORD_ARRAY);
    glClientActiveTexture(GL_TEXTURE0);
    glDisableClientState(GL_TEXTURE_COORD_ARRAY);
    glDisableClientState(GL_COLOR_ARRAY);
    glDisableClientState(GL_VERTEX_ARRAY);
    glDisable(GL_TEXTURE_2D);
    glActiveTexture(GL_TEXTURE0);
}

static void draw_ball(void)
{
    glPushAttrib(GL_ENABLE_BIT | GL_TEXTURE_BIT);
    glBindTexture(GL_TEXTURE_2D, textures[SKY]);
    glTexGeni(GL_S, GL_TEXTURE_GEN_MODE, GL_SPHERE_MAP);
    glTexGeni(GL_T, GL_TEXTURE_GEN_MODE, GL_SPHERE_MAP);
    glEnable(GL_TEXTURE_GEN_S);
    glEnable(GL_TEXTURE_GEN_T);
    glColor3ub(255, 255, 255);
    gluSphere(quadric, 0.9, 36, 24);
    glPopAttrib();
}

static void display(void)
{
    double time = glutGet(GLUT_ELAPSED_TIME) / 1000.0;

    glClear(GL_COLOR_BUFFER_BIT | GL_DEPTH_BUFFER_BIT);
    glLoadIdentity();
    gluLookAt(0.0, 3.0, 8.0, 0.0, 0.8, 0.0, 0.0, 1.0, 0.0);
    glRotatef((GLfloat)(time * 20.0), 0.0f, 1.0f, 0.0f);
    glEnable(GL_TEXTURE_2D);
    draw_floor();
    glPushMatrix();
    glTranslatef(-2.0f, 0.2f, 0.0f);
    draw_box();
    glPopMatrix();
    glPushMatrix();
    glTranslatef(1.6f, 1.2f, 0.5f);
    draw_ball();
    glPopMatrix();
    glutSwapBuffers();
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
    glutInitWindowSize(360, 300);
    glutCreateWindow("Textures and arrays");
    init();
    glutDisplayFunc(display);
    glutReshapeFunc(reshape);
    glutKeyboardFunc(keyboard);
    glutIdleFunc(glutPostRedisplay);
    glutMainLoop();
    return 0;
}
